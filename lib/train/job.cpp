// SPDX-License-Identifier: BSD-3-Clause
#include "train/job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <cstdio>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "mpi/watchdog.hpp"
#include "nn/executor.hpp"
#include "train/job_keys.hpp"

namespace whorl::train {

namespace {

namespace po = boost::program_options;

const std::string command_line_origin = "the command line";

po::options_description file_options() {
  po::options_description options;
  for (const JobKey& key : job_keys()) options.add_options()(key.name.c_str(), po::value<std::string>());
  return options;
}

po::options_description flag_options() {
  po::options_description options = file_options();
  options.add_options()("help", "");
  for (const char* name : {"job", "run", "data", "device", "resume", "walltime"})
    options.add_options()(name, po::value<std::string>());
  return options;
}

std::vector<std::string> names_of(const po::options_description& options) {
  std::vector<std::string> names;
  for (const auto& option : options.options()) names.push_back(option->long_name());
  return names;
}

const JobKey& key_named(const std::string& name) {
  const auto& keys = job_keys();
  return *std::find_if(keys.begin(), keys.end(), [&](const JobKey& key) { return key.name == name; });
}

std::string trimmed(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(" \t\r");
  return begin == std::string::npos ? "" : line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

/// Boost does not tell where a key stood: look for it again, sections as they open.
int line_of(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  std::string section, line;
  for (int number = 1; std::getline(lines, line); ++number) {
    line = trimmed(line.substr(0, line.find('#')));
    if (line.starts_with('[')) section = line.substr(1, line.find(']') - 1) + ".";
    if (section + trimmed(line.substr(0, line.find('='))) == key) return number;
  }
  return 0;
}

std::string suggestion(const std::string& name, const std::string& prefix,
                       const po::options_description& options) {
  const std::string candidate = nearest(name, names_of(options));
  return candidate.empty() ? ";" : fmt::format("; did you mean '{}{}'?", prefix, candidate);
}

[[noreturn]] void throw_wrong_value(const Setting& setting, const std::string& expected) {
  throw UsageError("{}: {} = '{}', but it must be {}", setting.origin, setting.key, setting.value, expected);
}

void require_choice(const Setting& setting, const JobKey& key) {
  if (key.choices.empty() ||
      std::find(key.choices.begin(), key.choices.end(), setting.value) != key.choices.end())
    return;
  throw_wrong_value(setting, fmt::format("one of {}", fmt::join(key.choices, ", ")));
}

void require_backend(const std::string& device) {
  const std::vector<std::string> available = nn::available_backends();
  if (std::find(available.begin(), available.end(), device) != available.end()) return;
  throw UsageError("this build has no {} backend; there are: {}", device, fmt::join(available, ", "));
}

void require_usage(bool condition, const char* key, const char* expected) {
  if (!condition) throw UsageError("{} must be {}", key, expected);
}

/// "90", "1:30:00": minutes, or hours, minutes and seconds with colons between, as Slurm writes them.
double parse_walltime(const std::string& text) {
  double hours = 0, minutes = 0, seconds = 0;
  char more = 0;
  const char* words = text.c_str();
  const bool is_clock = std::sscanf(words, "%lf:%lf:%lf%c", &hours, &minutes, &seconds, &more) == 3;
  if (!is_clock) hours = 0;
  const bool is_minutes = !is_clock && std::sscanf(words, "%lf%c", &minutes, &more) == 1;
  const double total = 3600 * hours + 60 * minutes + seconds;
  if ((!is_clock && !is_minutes) || !(total > 0 && total < 1e9))
    throw UsageError("--walltime = '{}', but it must be minutes, or H:MM:SS", text);
  return total;
}

void add_flag(CommandLine& command_line, const po::option& option) {
  if (option.position_key >= 0)
    throw UsageError("unexpected argument '{}'; --help lists the flags", option.original_tokens[0]);
  const std::string& name = option.string_key;
  if (option.unregistered) {
    throw UsageError("there is no flag '{}'{} --help lists all", option.original_tokens[0],
                     suggestion(name, "--", flag_options()));
  }
  if (name == "help") {
    command_line.help = true;
  } else if (name == "job") {
    command_line.job_file = option.value.at(0);
  } else if (name == "run") {
    command_line.run = option.value.at(0);
  } else if (name == "walltime") {
    command_line.walltime = parse_walltime(option.value.at(0));
  } else if (name == "resume") {
    command_line.resume = option.value.at(0);
  } else {
    const std::string key = name == "data" ? "data.file" : name == "device" ? "parallel.device" : name;
    command_line.settings.push_back({key, option.value.at(0), command_line_origin});
  }
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  namespace style = po::command_line_style;
  CommandLine command_line;
  try {
    const po::options_description flags = flag_options();
    // No short options: a value such as -1 stays a value.
    const auto parsed = po::command_line_parser(arguments)
                            .options(flags)
                            .style(style::allow_long | style::long_allow_adjacent | style::long_allow_next)
                            .allow_unregistered()
                            .run();
    for (const po::option& option : parsed.options) add_flag(command_line, option);
  } catch (const po::error& error) {
    throw UsageError("the command line: {}; --help lists the flags", error.what());
  }
  return command_line;
}

std::vector<Setting> parse_job_file(const std::string& file, const std::string& text) {
  std::vector<Setting> settings;
  std::set<std::string> seen;
  try {
    std::istringstream stream(text);
    const po::options_description options = file_options();
    for (const po::option& option : po::parse_config_file(stream, options, true).options) {
      const std::string& key = option.string_key;
      const std::string origin = fmt::format("{} line {}", file, line_of(text, key));
      if (option.unregistered) {
        throw UsageError("{}: there is no key '{}'{} whorl-train --help lists all", origin, key,
                         suggestion(key, "", options));
      }
      if (!seen.insert(key).second) throw UsageError("{}: the key '{}' is given twice", file, key);
      settings.push_back({key, option.value.at(0), origin});
    }
  } catch (const po::error& error) {
    throw UsageError("{}: {}", file, error.what());
  }
  return settings;
}

void apply_settings(Job& job, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    const JobKey& key = key_named(setting.key);
    require_choice(setting, key);
    const std::string expected = key.parse(job, setting.value);
    if (!expected.empty()) throw_wrong_value(setting, expected);
  }
}

void check(const Job& job) {
  require_backend(job.parallel.device);
  require_usage(!job.data.file.empty(), "data.file", "given: --data FILE.h5, a dataset made by whorl-ingest");
  require_usage(job.network.image_size >= 0, "network.image_size", "0 or more");
  require_usage(job.train.epochs > 0 && job.train.epochs < 1e6, "train.epochs",
                "more than 0 and less than a million");
  require_usage(job.train.batch >= 1, "train.batch", "1 or more");
  require_usage(job.train.shard >= 1, "train.shard", "1 or more");
  require_usage(job.train.label_smoothing >= 0 && job.train.label_smoothing < 1, "train.label_smoothing",
                "0 or more and less than 1");
  require_usage(job.train.evaluate_every >= 0, "train.evaluate_every", "0 or more");
  require_usage(job.train.whitening_samples >= 1, "train.whitening_samples", "1 or more");
  require_usage(!job.train.reproducible || job.parallel.algorithms != "measured", "parallel.algorithms",
                "fixed or direct where train.reproducible is true: a measurement may come out otherwise");
  require_usage(job.parallel.device == "gpu" || job.parallel.precision == "float32", "parallel.precision",
                "float32 where parallel.device is not gpu");
  require_usage(job.parallel.threads >= 0, "parallel.threads", "0 or more");
  require_usage(mpi::Watchdog::is_limit(job.parallel.watchdog), "parallel.watchdog",
                "0, or 2 or more: ranks tell of themselves twice a second, and may be late");
  require_usage(job.parallel.bucket_bytes >= 1, "parallel.bucket_bytes", "1 or more");
  require_usage(job.checkpoint.epochs >= 0, "checkpoint.epochs", "0 or more");
  require_usage(job.checkpoint.seconds >= 0, "checkpoint.seconds", "0 or more");
  require_usage(job.checkpoint.keep >= 1, "checkpoint.keep", "1 or more");
  require_usage(collective::is_chunk(job.parallel.chunk_bytes), "parallel.chunk_bytes", "0, or 4 to 2^31-1");
}

namespace {

bool decides_weights(const std::string& key) {
  constexpr std::array sections{"network", "train", "optimizer", "schedule", "augment"};
  constexpr std::array others{"parallel.device", "parallel.precision", "parallel.algorithms"};
  if (std::ranges::find(others, key) != others.end()) return true;
  const std::string section = key.substr(0, key.find('.'));
  return std::ranges::find(sections, section) != sections.end() && key != "train.evaluate_every";
}

}  // namespace

std::string difference(const Job& there, const Job& here) {
  for (const JobKey& key : job_keys()) {
    if (!decides_weights(key.name)) continue;
    const std::string theirs = key.print(there), ours = key.print(here);
    if (theirs != ours) return fmt::format("{} = {} there, {} here", key.name, theirs, ours);
  }
  return {};
}

std::string resolved_text(const Job& job) {
  std::string text, section;
  for (const JobKey& key : job_keys()) {
    const std::size_t dot = key.name.find('.');
    if (key.name.substr(0, dot) != section) {
      text += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", key.name.substr(0, dot));
      section = key.name.substr(0, dot);
    }
    text += fmt::format("{} = {}\n", key.name.substr(dot + 1), key.print(job));
  }
  return text;
}

std::string help_text() {
  std::string text =
      "Trains an image classifier on all ranks of an MPI job.\n\n"
      "  mpirun -n RANKS whorl-train --job FILE.ini [--data FILE.h5] [--run DIR] [--section.key=value "
      "...]\n\n"
      "  --job FILE.ini   what to do; see the folder jobs/. Every key is also a flag, and flags win\n"
      "  --data FILE.h5   dataset made by whorl-ingest\n"
      "  --run DIR        where the record of the run goes; default runs/NAME-DATE-TIME\n"
      "  --resume auto    go on with what was begun in DIR (default), from its last checkpoint, on any "
      "number of ranks\n"
      "           never   only a new or empty DIR\n"
      "           FILE    go on from this checkpoint in a new or empty DIR; there, with "
      "the run that it began\n"
      "  --walltime TIME  stops in time: minutes, or H:MM:SS\n"
      "  --device NAME    backend that computes\n"
      "  --help           this text\n\n"
      "Examples\n"
      "  mpirun -n 2 whorl-train --job jobs/cifar10-quick.ini --data cifar10.h5\n"
      "  mpirun -n 4 whorl-train --job jobs/flowers.ini --data flowers.h5 --train.epochs=2 "
      "--parallel.all_reduce=mpi\n"
      "  mpirun -n 2 whorl-train --job runs/quickstart-20250131-120000/job.ini      repeats a recorded "
      "run\n\n"
      "SIGUSR1, SIGTERM, ^C and the end of the walltime make it write a checkpoint and stop; the same "
      "command "
      "goes on.\n\n"
      "Exit status\n"
      "   0  trained to the end\n"
      "   1  failed; or trained to the end, but a checkpoint could not be written on the way (a warning says "
      "so)\n"
      "   2  the command line or the job file is wrong\n"
      "  75  stopped when asked to, with a checkpoint\n\n"
      "Keys, with their defaults\n";
  const Job defaults;
  for (const JobKey& key : job_keys()) {
    text += fmt::format("  --{}={}\n      {}\n", key.name, key.print(defaults), key.description);
    if (!key.choices.empty()) text += fmt::format("      one of: {}\n", fmt::join(key.choices, ", "));
  }
  return text;
}

}  // namespace whorl::train
