// SPDX-License-Identifier: BSD-3-Clause
// whorl-train: trains a network on all ranks as a job file says, and leaves a run folder.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "base/activity.hpp"
#include "base/error.hpp"
#include "base/file_system.hpp"
#include "base/progress.hpp"
#include "base/stop_request.hpp"
#include "checkpoint/folder.hpp"
#include "checkpoint/keeper.hpp"
#include "checkpoint/start.hpp"
#include "dataset/reader.hpp"
#include "mpi/session.hpp"
#include "mpi/watchdog.hpp"
#include "report/run_record.hpp"
#include "train/job.hpp"
#include "train/trainer.hpp"

namespace {

using namespace whorl;
using Clock = std::chrono::steady_clock;

constexpr int stopped_with_checkpoint =
    75;  // EX_TEMPFAIL of sysexits.h: to be tried again; see jobs/launch.sh

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Every rank parses the text that rank 0 read, so that all find the same mistakes.
train::Job read_job(const mpi::Communicator& world, const train::CommandLine& command_line) {
  if (command_line.job_file.empty())
    throw UsageError("no job given: --job FILE.ini, such as those in the folder jobs/; --help tells more");
  std::string text;
  mpi::on_root(world, [&] { text = read_text_input(command_line.job_file); });
  world.broadcast(text);
  train::Job job;
  train::apply_settings(job, train::parse_job_file(command_line.job_file, text));
  train::apply_settings(job, command_line.settings);
  train::check(job);
  return job;
}

/// What the job asked for and these ranks, or this dataset, cannot give.
void note_shortfalls(const train::Job& job, const train::TrainerFacts& facts, std::int64_t pictures,
                     int ranks) {
  const train::EpochPlan& plan = facts.plan_of_epoch;
  const int workers = ranks * facts.threads;
  if (plan.batch() < job.train.batch)
    fmt::print(stderr,
               "note: {} training pictures allow a batch of {}, not of {}; {} are left out of each epoch\n",
               pictures, plan.batch(), job.train.batch, pictures - plan.steps * plan.batch());
  if (plan.shards_per_batch < workers)
    fmt::print(
        stderr,
        "note: a batch of {} pictures in shards of {} keeps {} of {} {} busy; a smaller train.shard or a "
        "larger train.batch uses more\n",
        plan.batch(), plan.shard_size, plan.shards_per_batch, workers,
        facts.threads == 1 ? "ranks" : "threads");
}

std::string epoch_note(const train::EpochReport& epoch, double seconds_left) {
  std::string note = fmt::format("loss {:.4f}, train {:.2f} %", epoch.train_loss, 100 * epoch.train_top1);
  if (epoch.test) note += fmt::format(", test {:.2f} %", 100 * epoch.test->top1());
  note += fmt::format(", {:.0f} images/s", epoch.images_per_second);
  if (seconds_left > 0) note += fmt::format(", {} left for all epochs", format_duration(seconds_left));
  return note;
}

/// Returns when all epochs are trained, or when any rank has been asked to stop: at the same step on all
/// ranks.
void train_epochs(train::Trainer& trainer, report::RunRecord& record, checkpoint::Keeper& checkpoints,
                  const StopRequest& stop_request, bool is_root) {
  const Clock::time_point start = Clock::now();
  const std::int64_t total = trainer.facts().total_steps, first = trainer.steps_done();
  bool stop = false;
  while (!trainer.done() && !stop) {
    const std::int64_t steps = trainer.upcoming_steps();
    Progress progress(fmt::format("epoch {} of {}", trainer.upcoming_epoch(), trainer.epochs()), "steps",
                      steps, is_root);
    const auto ask = [&] {
      return train::Requests{.stop = stop_request.is_pending(), .checkpoint = checkpoints.is_due_by_clock()};
    };
    const auto after_step = [&](std::int64_t done, train::Requests agreed) {
      progress.update(done);
      stop = agreed.stop;
      if (agreed.checkpoint && !stop && done < steps) checkpoints.take(trainer, record.state());
      return !stop;
    };
    const std::optional<train::EpochReport> epoch =
        trainer.next_epoch({.ask = ask, .after_step = after_step});
    if (!epoch) break;
    set_activity("run record and checkpoint", trainer.steps_done());
    record.add(*epoch);
    // A stop ended the evaluation: not a step more, so that going on can make up for it.
    if (trainer.is_evaluation_due() && !epoch->test) stop = true;
    if (!stop && checkpoints.is_due_after(epoch->epoch)) checkpoints.take(trainer, record.state());
    const double left = seconds_since(start) * static_cast<double>(total - epoch->step) /
                        static_cast<double>(epoch->step - first);
    progress.note(epoch_note(*epoch, left));
    progress.update(steps);
  }
}

/// Of an epoch that was stopped while it was evaluated. False where it is stopped again, on all ranks.
bool make_up_evaluation(train::Trainer& trainer, report::RunRecord& record,
                        const std::function<bool()>& stop) {
  if (!record.lacks_test() || !trainer.is_evaluation_due()) return true;
  const auto test = trainer.make_up_evaluation(stop);
  if (test) record.add_test(*test);
  return test.has_value();
}

/// Writes the state down and says how to go on; returns the exit status.
int stop_here(StopRequest& stop_request, const train::Trainer& trainer, const report::RunRecord& record,
              checkpoint::Keeper& checkpoints, const std::filesystem::path& folder, bool is_root) {
  stop_request.set_agreed();
  set_activity("last checkpoint", trainer.steps_done());
  if (!checkpoints.take_and_wait(trainer, record.state()))
    throw CollectiveError("stopped when asked to, but the state after step {} could not be written to {}",
                          trainer.steps_done(), folder.string());
  if (is_root)
    fmt::print(
        stderr,
        "stopped when asked to, with a checkpoint of step {}; the same command with --run {} goes on\n",
        trainer.steps_done(), folder.string());
  return stopped_with_checkpoint;
}

int run(mpi::Communicator& world, const std::vector<std::string>& arguments) {
  const train::CommandLine command_line = train::parse_command_line(arguments);
  if (command_line.help) {
    if (world.is_root()) fmt::print("{}", train::help_text());
    return 0;
  }
  StopRequest stop_request(command_line.walltime);
  const Clock::time_point start = Clock::now();
  const train::Job job = read_job(world, command_line);
  const mpi::Watchdog watchdog(world, job.parallel.watchdog);
  std::optional<dataset::Reader> reader;
  std::string dataset_digest;
  mpi::together(world, [&] {
    reader.emplace(job.data.file,
                   job.data.verify ? dataset::Reader::Verify::all : dataset::Reader::Verify::nothing);
    dataset_digest = reader->digest();
  });
  const auto [folder, from, is_finished, begun_from] =
      checkpoint::choose_start(world, command_line, job, dataset_digest);
  if (is_finished) {
    if (world.is_root())
      fmt::print("{} is finished already; its verdict.txt tells the outcome\n", folder.string());
    return 0;
  }
  train::Trainer trainer(job, world, *reader);
  trainer.measure_gpu();
  if (world.is_root()) note_shortfalls(job, trainer.facts(), reader->info().train_count, world.size());
  if (from) trainer.restore(from->state);
  report::RunRecord record(world, folder, job, *reader, trainer, seconds_since(start), begun_from,
                           from ? from->record : "");
  checkpoint::Keeper checkpoints(world, checkpoint::folder_of(folder), job.checkpoint,
                                 train::resolved_text(job), dataset_digest);
  const auto stop = [&] { return stop_request.is_pending(); };
  const bool goes_on = make_up_evaluation(trainer, record, stop);
  if (goes_on) train_epochs(trainer, record, checkpoints, stop_request, world.is_root());
  if (!goes_on || !trainer.done())
    return stop_here(stop_request, trainer, record, checkpoints, folder, world.is_root());
  set_activity("final checkpoint, evaluation and weights", trainer.steps_done());
  checkpoints.wait();
  const std::optional<train::Evaluation> test = trainer.final_evaluation(stop);
  if (!test && trainer.is_evaluated_finally())
    return stop_here(stop_request, trainer, record, checkpoints, folder, world.is_root());
  const std::string verdict = record.finish(trainer, test);
  if (world.is_root()) fmt::print("{}  run folder      {}\n", verdict, folder.string());
  if (!checkpoints.has_failed()) return 0;
  if (world.is_root()) fmt::print(stderr, "warning: some checkpoints could not be written, see above\n");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  return mpi::run_main(argc, argv, "whorl-train", [](mpi::Communicator& world, int count, char** words) {
    return run(world, std::vector<std::string>(words + 1, words + count));
  });
}
