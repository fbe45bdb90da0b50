// SPDX-License-Identifier: BSD-3-Clause
#include "scale/workload.hpp"

#include <algorithm>
#include <initializer_list>
#include <numeric>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "ingest/ingest.hpp"
#include "ingest/worker.hpp"
#include "mpi/cores.hpp"
#include "readbench/measurement.hpp"
#include "train/trainer.hpp"

namespace whorl::scale {

namespace {

constexpr int reading_batch = 64;  // pictures

/// Seconds, mean over the ranks.
double mean_of(const std::vector<mpi::PhaseStatistics>& phases, std::initializer_list<std::size_t> parts) {
  double seconds = 0;
  for (const std::size_t part : parts) seconds += phases[part].mean;
  return seconds;
}

/// `split` with what is left of `seconds` as `other`.
Split completed(Split split, double seconds) {
  split.other = std::max(0.0, seconds - split.compute - split.communication - split.input - split.waiting);
  return split;
}

train::Job read_job(const mpi::Communicator& world, const Study& study) {
  std::string text;
  mpi::on_root(world, [&] { text = read_text_input(study.job); });
  world.broadcast(text);
  train::Job job;
  train::apply_settings(job, train::parse_job_file(study.job, text));
  job.data.file = study.data;
  train::check(job);
  job.train.evaluate_every = -1;
  return job;
}

}  // namespace

Workloads::Workloads(const mpi::Communicator& world, const Study& study, std::filesystem::path scratch)
    : study_(study), scratch_(std::move(scratch)), threads_(world.min(mpi::default_threads(world))) {
  const auto is_timed = [&](const char* name) {
    return std::ranges::any_of(study.workloads,
                               [&](const std::string& workload) { return workload.starts_with(name); });
  };
  if (is_timed("train")) job_ = read_job(world, study);
  if (is_timed("train") || is_timed("read")) mpi::together(world, [&] { reader_.emplace(study.data); });
}

Defaults Workloads::defaults() const {
  return {.batch = job_.train.batch, .all_reduce = job_.parallel.all_reduce, .threads = threads_};
}

train::EpochPlan Workloads::plan_of(const Point& point) const {
  return train::plan_epoch(reader_->info().train_count, point.batch, job_.train.shard);
}

void Workloads::require_possible(const Point& point) const {
  if (point.workload != "train" || plan_of(point).batch() == point.batch) return;
  throw UsageError(
      "a batch of {} pictures is asked for, but {} has only {} training pictures: study fewer ranks or a "
      "smaller batch",
      point.batch, study_.data, reader_->info().train_count);
}

Row Workloads::time(const Point& point, const mpi::Communicator& comm) const {
  if (point.workload == "train") return time_training(point, comm);
  if (point.workload == "ingest") return time_ingest(point, comm);
  return time_reading(point, comm);
}

Row Workloads::time_training(const Point& point, const mpi::Communicator& comm) const {
  train::Job job = job_;
  job.train.batch = point.batch;
  job.parallel.all_reduce = point.all_reduce;
  job.parallel.threads = point.threads;
  const train::EpochPlan plan = plan_of(point);
  job.train.epochs = static_cast<double>(study_.steps) / static_cast<double>(plan.steps);

  train::Trainer trainer(job, comm, *reader_);
  Row row;
  while (!trainer.done()) row.seconds += trainer.next_epoch().value().train_seconds;
  row.pictures = trainer.facts().total_steps * point.batch;
  if (comm.size() > 1) row.all_reduce_ran = trainer.facts().all_reduce;
  if (const auto cost = trainer.facts().step_cost) {
    row.all_reduce_steps = cost->steps * trainer.facts().total_steps;
    row.all_reduce_bytes = cost->bytes_sent * trainer.facts().total_steps;
  }
  namespace phase = train::phase;
  const auto phases = trainer.total_phases();
  row.split = completed({.compute = mean_of(phases, {phase::forward, phase::backward, phase::optimizer}),
                         .communication = mean_of(phases, {phase::all_reduce_exposed}),
                         .input = mean_of(phases, {phase::input_wait}),
                         .waiting = mean_of(phases, {phase::rank_wait})},
                        row.seconds);
  return row;
}

Row Workloads::time_ingest(const Point& point, const mpi::Communicator& comm) const {
  const std::filesystem::path folder = scratch_ / "timed-ingest";
  mpi::on_root(comm, [&] {
    std::filesystem::remove_all(folder);  // of a study that was killed
    std::filesystem::create_directory(folder);
  });
  const int times = point.scaling == "weak" ? point.ranks : 1;
  const std::vector<std::filesystem::path> inputs(static_cast<std::size_t>(times), study_.input);
  const ingest::Summary summary =
      ingest::ingest(comm, {.inputs = inputs, .output = folder / "timed.h5", .size = study_.size});
  mpi::on_root(comm, [&] { std::filesystem::remove_all(folder); });
  Row row;
  row.seconds = summary.seconds;
  for (const auto& counts : summary.class_counts)
    row.pictures += std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  row.split = completed({.compute = mean_of(summary.phases, {ingest::decode_phase}),
                         .input = mean_of(summary.phases, {ingest::scan_phase, ingest::read_phase})},
                        row.seconds);
  return row;
}

Row Workloads::time_reading(const Point& point, const mpi::Communicator& comm) const {
  const dataset::Info& info = reader_->info();
  const std::int64_t pictures = study_.pictures > 0 ? study_.pictures : info.train_count;
  const std::int64_t of_a_rank = point.scaling == "weak" ? pictures : pictures / point.ranks;
  const readbench::Study one_turn{
      .sources = {{info.storage == dataset::Storage::pixels ? "pixels" : "jpeg", study_.data}},
      .batch = {reading_batch},
      .batches = {static_cast<int>(std::max<std::int64_t>(1, of_a_rank / reading_batch))},
      .order = {dataset::Order::shuffled},
      .cache = {point.workload == "read-cold" ? readbench::Cache::cold : readbench::Cache::warm},
      .decode = {true},
      .repeat = 1};
  const readbench::Measurement turn =
      readbench::Bench(one_turn, comm).measure([](const readbench::Measurement&) {}).at(0);
  Row row;
  row.pictures = turn.images;
  row.seconds = turn.seconds;
  row.split.input = turn.seconds / (1 + turn.imbalance);
  row.split.waiting = turn.seconds - row.split.input;
  return row;
}

}  // namespace whorl::scale
