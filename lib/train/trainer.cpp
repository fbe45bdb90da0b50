// SPDX-License-Identifier: BSD-3-Clause
#include "train/trainer.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "base/activity.hpp"
#include "base/error.hpp"
#include "gpu/device.hpp"
#include "mpi/cores.hpp"
#include "train/agreement.hpp"
#include "train/phase.hpp"
#include "train/whitening.hpp"

namespace whorl::train {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

nn::Network network_for(const Job& job, const dataset::Info& info) {
  nn::Normalisation normalisation;
  for (std::size_t c = 0; c < 3; ++c) {
    normalisation.mean[c] = static_cast<float>(info.channel_mean[c]);
    // A channel that never changes is zero after subtracting its mean, whatever it is divided by.
    normalisation.deviation[c] = info.channel_std[c] > 0 ? static_cast<float>(info.channel_std[c]) : 1.0f;
  }
  const int size = job.network.image_size > 0 ? job.network.image_size : info.image_size;
  try {
    return nn::make_network(job.network.name, size, static_cast<int>(info.class_names.size()), normalisation);
  } catch (const Error& error) {
    throw UsageError(error.what());  // on every rank: the job asks for what cannot be
  }
}

EpochPlan plan_for(const Job& job, const dataset::Reader& reader) {
  if (reader.info().train_count == 0) throw CollectiveError("{} has no training pictures", reader.path());
  return plan_epoch(reader.info().train_count, job.train.batch, job.train.shard);
}

}  // namespace

int threads_for(const Job& job, const mpi::Communicator& comm) {
  const int on_cpus = job.parallel.threads > 0 ? job.parallel.threads : mpi::default_threads(comm);
  return job.parallel.device == "gpu" ? 1 : on_cpus;
}

std::string claim_gpu(const Job& job, const mpi::Communicator& comm) {
  if (job.parallel.device != "gpu") return {};
  return gpu::claim_gpu(comm, job.parallel.share_gpu);
}

Trainer::Trainer(const Job& job, const mpi::Communicator& comm, const dataset::Reader& reader)
    : job_(job),
      comm_(comm),
      reader_(reader),
      plan_(plan_for(job, reader)),
      total_steps_(
          std::max<std::int64_t>(1, std::llround(job.train.epochs * static_cast<double>(plan_.steps)))),
      threads_(threads_for(job, comm)),
      gpu_(claim_gpu(job, comm)),
      network_(network_for(job, reader.info())),
      schedule_(job.schedule, total_steps_, plan_.steps),
      timer_(phase::names()),
      total_timer_(phase::names()) {
  omp_set_num_threads(threads_);  // of the optimizer
  require_same_everywhere(comm_, "the dataset (see data.file)", reader_.digest());
  const std::vector<float> parameters = initial_parameters();
  require_same_everywhere(comm_, "the initial weights", weights_digest(parameters));
  engine_ = make_engine({.job = job_,
                         .comm = comm_,
                         .reader = reader_,
                         .network = network_,
                         .schedule = schedule_,
                         .plan = plan_,
                         .total_steps = total_steps_,
                         .threads = threads_},
                        parameters);
}

void Trainer::measure_gpu() {
#ifdef WHORL_HAS_CUDNN
  constexpr std::size_t matrix_bytes = std::size_t{128} << 20;
  if (job_.parallel.device != "gpu") return;
  mpi::on_root(comm_, [&] {
    gpu_ceilings_ = measure_ceilings(nn::precision_of(job_.parallel.precision), matrix_bytes);
  });
#endif
}

std::vector<float> Trainer::initial_parameters() const {
  std::vector<float> parameters(network_.parameters.size());
  mpi::together(comm_, [&] {
    nn::initialise(network_, job_.train.seed, parameters);
    initialise_whitening(network_, reader_,
                         std::min(job_.train.whitening_samples, reader_.info().train_count), parameters);
  });
  return parameters;
}

std::optional<EpochReport> Trainer::next_epoch(const Hooks& hooks) {
  const Clock::time_point start = Clock::now();
  const std::int64_t steps = upcoming_steps();
  const std::int64_t steps_before = steps_done_in_epoch();
  EpochReport report{.epoch = upcoming_epoch(), .test = {}, .phases = {}};
  if (!train_epoch(steps, hooks)) return std::nullopt;
  set_activity("comparing weights", step_);
  const double train_seconds = comm_.max(seconds_since(start));
  require_same_everywhere(comm_, fmt::format("the weights after epoch {}", report.epoch), engine_->digest());

  const LossSums sums = engine_->take_sums();
  const auto batch = static_cast<double>(plan_.batch());
  const double samples = static_cast<double>(steps) * batch;
  report.step = step_;
  report.train_loss = static_cast<double>(comm_.sum(sums.loss)) * LossSums::unit / samples;
  report.train_top1 = static_cast<double>(comm_.sum(sums.correct)) / samples;
  report.learning_rate_factor = schedule_.factor(step_ - 1);
  report.train_seconds = train_seconds;
  report.images_per_second = static_cast<double>(steps - steps_before) * batch / train_seconds;
  report.test = evaluate_epoch([&] { return hooks.ask && hooks.ask().stop; });
  report.phases = close_phases(seconds_since(start));
  return report;
}

bool Trainer::train_epoch(std::int64_t steps, const Hooks& hooks) {
  const std::int64_t first_step = steps_done_in_epoch();
  engine_->begin_epoch({static_cast<std::uint32_t>(upcoming_epoch() - 1), first_step, steps});
  bool goes_on = true;
  for (std::int64_t step = first_step; step < steps && goes_on; ++step) {
    const Requests agreed = engine_->step(hooks.ask ? hooks.ask() : Requests{});
    ++step_;
    goes_on = !hooks.after_step || hooks.after_step(step + 1, agreed) || step + 1 == steps;
  }
  engine_->end_epoch();
  engine_->add_times(timer_);
  return goes_on;
}

State Trainer::state() const {
  State state;
  state.step = step_;
  engine_->save(state);
  if (steps_done_in_epoch() == 0) state.loss = state.correct = 0;
  return state;
}

void Trainer::restore(const State& state) {
  mpi::together(comm_, [&] {
    require(state.step >= 0 && state.step <= total_steps_ &&
                state.parameters.size() == network_.parameters.size(),
            "a training of {} steps and {} parameters cannot go on from step {} with {} parameters",
            total_steps_, network_.parameters.size(), state.step, state.parameters.size());
  });
  engine_->restore(state);
  step_ = state.step;
}

bool Trainer::is_evaluated_finally() const {
  return reader_.info().test_count > 0 && job_.train.evaluate_every >= 0;
}

bool Trainer::is_evaluation_due() const {
  const std::int64_t epoch = step_ / plan_.steps;
  const bool has_its_turn =
      epoch > 0 && job_.train.evaluate_every > 0 && epoch % job_.train.evaluate_every == 0;
  return is_evaluated_finally() && (done() || (steps_done_in_epoch() == 0 && has_its_turn));
}

std::optional<Evaluation> Trainer::make_up_evaluation(const std::function<bool()>& stop) {
  const Clock::time_point start = Clock::now();
  const std::optional<Evaluation> result = evaluate_epoch(stop);
  close_phases(seconds_since(start));
  return result;
}

std::optional<Evaluation> Trainer::evaluate_epoch(const std::function<bool()>& stop) {
  if (!is_evaluation_due()) return std::nullopt;
  last_test_ = evaluate_test("none", stop);
  return last_test_;
}

std::optional<Evaluation> Trainer::evaluate_test(const std::string& tta, const std::function<bool()>& stop) {
  const auto measured = timer_.measure(phase::evaluate);
  set_activity("evaluation", step_);
  return engine_->evaluate(tta, stop);
}

std::optional<Evaluation> Trainer::final_evaluation(const std::function<bool()>& stop) {
  if (!is_evaluated_finally()) return std::nullopt;
  if (job_.evaluate.tta == "none" && last_test_) return last_test_;
  const Clock::time_point start = Clock::now();
  const std::optional<Evaluation> result = evaluate_test(job_.evaluate.tta, stop);
  close_phases(seconds_since(start));
  return result;
}

std::vector<mpi::PhaseStatistics> Trainer::close_phases(double wall) {
  double claimed = 0;
  for (const auto part : phase::on_the_clock) claimed += timer_.seconds(part);
  timer_.add(phase::other, std::max(0.0, wall - claimed));
  for (std::size_t part = 0; part <= phase::other; ++part) total_timer_.add(part, timer_.seconds(part));
  std::vector<mpi::PhaseStatistics> phases = timer_.reduce(comm_);
  timer_.reset();
  return phases;
}

int Trainer::epochs() const {
  return static_cast<int>((total_steps_ + plan_.steps - 1) / plan_.steps);
}

Weights Trainer::weights() const {
  return {network_, engine_->parameters(), reader_.info().class_names, reader_.digest()};
}

TrainerFacts Trainer::facts() const {
  return {engine_->facts(),
          nn::describe(network_),
          gpu_,
          nn::training_flops(network_),
          gpu_ceilings_,
          threads_,
          plan_,
          total_steps_};
}

}  // namespace whorl::train
