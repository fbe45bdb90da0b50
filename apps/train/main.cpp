// SPDX-License-Identifier: BSD-3-Clause
// whorl-train: trains a network on all ranks as a job file says, and leaves a run folder.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "base/progress.hpp"
#include "dataset/reader.hpp"
#include "mpi/session.hpp"
#include "report/run_record.hpp"
#include "train/cores.hpp"
#include "train/job.hpp"
#include "train/trainer.hpp"

namespace {

using namespace whorl;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Every rank parses the text that rank 0 read, so that all find the same mistakes.
train::Job read_job(const mpi::Communicator& world, const train::CommandLine& command_line) {
  if (command_line.job_file.empty())
    throw UsageError("no job given: --job FILE.ini, such as those in the folder jobs/; --help tells more");
  std::string text;
  mpi::on_root(world, [&] { text = read_text_file(command_line.job_file); });
  world.broadcast(text);
  train::Job job;
  train::apply_settings(job, train::parse_job_file(command_line.job_file, text));
  train::apply_settings(job, command_line.settings);
  train::check(job);
  return job;
}

void note_idle_cores(const mpi::Communicator& world, const train::Job& job) {
  const int cores = train::cores_of_this_rank(world);
  if (world.is_root() && job.parallel.device != "gpu" && job.parallel.threads == 0 &&
      train::default_threads() == 1 && cores > 1)
    fmt::print(stderr,
               "note: rank 0 has {0} cores and uses one; mpirun with {0} times as many ranks uses all\n",
               cores);
}

std::string epoch_note(const train::EpochReport& epoch, double seconds_left) {
  std::string note = fmt::format("loss {:.4f}, train {:.2f} %", epoch.train_loss, 100 * epoch.train_top1);
  if (epoch.test) note += fmt::format(", test {:.2f} %", 100 * epoch.test->top1());
  note += fmt::format(", {:.0f} images/s", epoch.images_per_second);
  if (seconds_left > 0) note += fmt::format(", {} left for all epochs", format_duration(seconds_left));
  return note;
}

void train_all_epochs(train::Trainer& trainer, report::RunRecord& record, bool is_root) {
  const Clock::time_point start = Clock::now();
  const std::int64_t total = trainer.facts().total_steps;
  while (!trainer.done()) {
    const std::int64_t steps = trainer.upcoming_steps();
    Progress progress(fmt::format("epoch {} of {}", trainer.upcoming_epoch(), trainer.epochs()), "steps",
                      steps, is_root);
    const train::EpochReport epoch = trainer.next_epoch([&](std::int64_t done) { progress.update(done); });
    record.add(epoch);
    const double left =
        seconds_since(start) * static_cast<double>(total - epoch.step) / static_cast<double>(epoch.step);
    progress.note(epoch_note(epoch, left));
    progress.update(steps);
  }
}

int run(mpi::Communicator& world, const std::vector<std::string>& arguments) {
  const train::CommandLine command_line = train::parse_command_line(arguments);
  if (command_line.help) {
    if (world.is_root()) fmt::print("{}", train::help_text());
    return 0;
  }
  const Clock::time_point start = Clock::now();
  const train::Job job = read_job(world, command_line);
  std::optional<dataset::Reader> reader;
  mpi::together(world, [&] { reader.emplace(job.data.file); });
  note_idle_cores(world, job);
  const std::filesystem::path folder =
      report::choose_run_folder(world, command_line.run, command_line.job_file);
  train::Trainer trainer(job, world, *reader);
  report::RunRecord record(world, folder, job, *reader, trainer, seconds_since(start));
  train_all_epochs(trainer, record, world.is_root());
  const std::string verdict = record.finish(trainer, trainer.final_evaluation());
  if (world.is_root()) fmt::print("{}  run folder      {}\n", verdict, folder.string());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return mpi::run_main(argc, argv, "whorl-train", [](mpi::Communicator& world, int count, char** words) {
    return run(world, std::vector<std::string>(words + 1, words + count));
  });
}
