// SPDX-License-Identifier: BSD-3-Clause
// whorl-scale: a strong and weak scaling study in one command and one allocation.
#include <fmt/format.h>

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "mpi/session.hpp"
#include "mpi/watchdog.hpp"
#include "scale/findings.hpp"
#include "scale/run.hpp"
#include "scale/study.hpp"
#include "train/job.hpp"

namespace {

using namespace whorl;

constexpr const char* introduction =
    R"(Measures how ingest, reading and training scale: on 1, 2, 4 ... ranks of one allocation, the others asleep.

  mpirun -n RANKS whorl-scale --study FILE.study --run DIR [--resume] [--data FILE.h5] [--section.key=value ...]

  --study FILE   what to measure; see jobs/scaling.study. Every key is also a flag, and flags win
  --run DIR      where the study goes: new or empty
  --resume       continue the study in DIR where it was cut off; starts it where there is none
  --data FILE    the same as --train.data
  --help         this text

DIR/rows.csv gets a line as each timing ends; DIR/findings.txt says at the end how it scales and why no further.
whorl-report makes a page of it.

Keys, with their defaults
)";

struct Arguments {
  bool help = false, resume = false;
  std::string study, run;
  std::vector<scale::StudySetting> settings;
};

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--help") {
      arguments.help = true;
    } else if (word == "--resume") {
      arguments.resume = true;
    } else {
      if (!word.starts_with("--")) throw UsageError("unexpected argument '{}'; --help lists the flags", word);
      const std::size_t equals = word.find('=');
      const std::string name = word.substr(2, equals - 2);
      if (equals == std::string::npos && i + 1 == words.size())
        throw UsageError("{} lacks its value; --help lists the flags", word);
      const std::string value = equals == std::string::npos ? words[++i] : word.substr(equals + 1);
      if (name == "study") {
        arguments.study = value;
      } else if (name == "run") {
        arguments.run = value;
      } else {
        arguments.settings.push_back({name == "data" ? "train.data" : name, value, "the command line"});
      }
    }
  }
  return arguments;
}

/// Every rank parses the text that rank 0 read, so that all find the same mistakes.
scale::Study read_study(const mpi::Communicator& world, const Arguments& arguments) {
  std::string text;
  mpi::on_root(world, [&] { text = read_text_input(arguments.study); });
  world.broadcast(text);
  scale::Study study;
  scale::apply_settings(study, scale::parse_study_file(arguments.study, text));
  scale::apply_settings(study, arguments.settings);
  scale::check(study);
  return study;
}

int run(mpi::Communicator& world, const std::vector<std::string>& words) {
  const Arguments arguments = parse(words);
  if (arguments.help) {
    if (world.is_root()) fmt::print("{}{}", introduction, scale::keys_text());
    return 0;
  }
  if (arguments.study.empty() || arguments.run.empty())
    throw UsageError("--study FILE and --run DIR are needed; --help tells more");
  const scale::Study study = read_study(world, arguments);
  const mpi::Watchdog watchdog(world, train::Job().parallel.watchdog);
  const std::vector<scale::Row> rows = scale::run_study(world, study, arguments.run, arguments.resume);
  mpi::on_root(world, [&] {
    const std::string text = scale::findings_text(rows);
    write_file_atomically(std::filesystem::path(arguments.run) / "findings.txt", text);
    fmt::print("{}all timings: {}/rows.csv\n", text, arguments.run);
  });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // an error of write(), with a message, instead of the end of the process
  return mpi::run_main(argc, argv, "whorl-scale", [](mpi::Communicator& world, int count, char** words) {
    return run(world, std::vector<std::string>(words + 1, words + count));
  });
}
