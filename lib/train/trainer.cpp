// SPDX-License-Identifier: BSD-3-Clause
#include "train/trainer.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "base/activity.hpp"
#include "base/block_range.hpp"
#include "base/error.hpp"
#include "collective/background.hpp"
#include "gpu/device.hpp"
#include "train/agreement.hpp"
#include "train/cores.hpp"
#include "train/divergence.hpp"
#include "train/whitening.hpp"

namespace whorl::train {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

nn::Network network_for(const Job& job, const dataset::Info& info, const mpi::Communicator& comm) {
  nn::Normalisation normalisation;
  for (std::size_t c = 0; c < 3; ++c) {
    normalisation.mean[c] = static_cast<float>(info.channel_mean[c]);
    // A channel that never changes is zero after subtracting its mean, whatever it is divided by.
    normalisation.deviation[c] = info.channel_std[c] > 0 ? static_cast<float>(info.channel_std[c]) : 1.0f;
  }
  const int size = job.network.image_size > 0 ? job.network.image_size : info.image_size;
  nn::Network network;
  mpi::together(comm, [&] {
    network =
        nn::make_network(job.network.name, size, static_cast<int>(info.class_names.size()), normalisation);
  });
  return network;
}

EpochPlan plan_for(const Job& job, const dataset::Reader& reader) {
  if (reader.info().train_count == 0) throw CollectiveError("{} has no training pictures", reader.path());
  return plan_epoch(reader.info().train_count, job.train.batch, job.train.shard);
}

constexpr double loss_unit = 1.0 / (1 << 24);

/// Of one shard. (A loss that is not finite comes with gradients that are not, and these end the training.)
std::int64_t loss_in_units(double loss) {
  constexpr double largest = 1 << 30;
  return std::isfinite(loss) ? std::llround(std::min(loss, largest) / loss_unit) : 0;
}

collective::Fastest choose_all_reduce(const Job& job, const mpi::Communicator& comm,
                                      const nn::Network& network) {
  using collective::Element;
  const ParallelOptions& parallel = job.parallel;
  const collective::Options options{.chunk_bytes = parallel.chunk_bytes};
  const Element element = job.train.reproducible ? Element::int64 : Element::float32;
  collective::Fastest chosen;
  if (parallel.all_reduce == "auto") {
    chosen = collective::make_fastest(comm, options, element,
                                      bucket_counts(network.parameters, element, parallel.bucket_bytes));
  } else {
    chosen.all_reduce = collective::make_all_reduce(parallel.all_reduce, comm, options);
  }
  if (parallel.progress == "thread")
    chosen.all_reduce = std::make_unique<collective::Background>(std::move(chosen.all_reduce));
  return chosen;
}

std::unique_ptr<GradientSum> make_gradient_sum(const Job& job, const mpi::Communicator& comm,
                                               const nn::Network& network, const EpochPlan& plan,
                                               collective::AllReduce& all_reduce) {
  const std::size_t bucket_bytes = job.parallel.bucket_bytes;
  if (!job.train.reproducible)
    return std::make_unique<FloatGradientSum>(all_reduce, network.parameters, bucket_bytes);
  return std::make_unique<ExactGradientSum>(all_reduce, comm, network.parameters, plan.shards_per_batch,
                                            bucket_bytes);
}

}  // namespace

std::string claim_gpu(const Job& job, const mpi::Communicator& comm) {
  if (job.parallel.device != "gpu") return {};
  return gpu::claim_gpu(comm, job.parallel.share_gpu);
}

std::vector<std::string> phase::names() {
  return {
      "read",      "augment",  "input wait", "forward", "backward", "all-reduce exposed", "all-reduce hidden",
      "optimizer", "evaluate", "other"};
}

Trainer::Trainer(const Job& job, const mpi::Communicator& comm, const dataset::Reader& reader)
    : job_(job),
      comm_(comm),
      reader_(reader),
      plan_(plan_for(job, reader)),
      total_steps_(
          std::max<std::int64_t>(1, std::llround(job.train.epochs * static_cast<double>(plan_.steps)))),
      threads_(job.parallel.threads > 0 ? job.parallel.threads : default_threads()),
      gpu_(claim_gpu(job, comm)),
      network_(network_for(job, reader.info(), comm)),
      parameters_(network_.parameters.size()),
      all_reduce_(choose_all_reduce(job, comm, network_)),
      gradients_(make_gradient_sum(job, comm, network_, plan_, *all_reduce_.all_reduce)),
      schedule_(job.schedule, total_steps_, plan_.steps),
      optimizer_(network_, job.optimizer, total_steps_, plan_.steps),
      augmenter_(job.augment, reader.info().image_size, network_.input.height,
                 reader.info().channel_mean.data(), job.train.seed),
      timer_(phase::names()),
      total_timer_(phase::names()) {
  omp_set_num_threads(threads_);  // of the optimizer; the executor sets its own
  require_same_everywhere(comm_, "the dataset (see data.file)", reader_.digest());
  initialise_parameters();
  compile();
}

void Trainer::initialise_parameters() {
  mpi::together(comm_, [&] {
    nn::initialise(network_, job_.train.seed, parameters_);
    initialise_whitening(network_, reader_,
                         std::min(job_.train.whitening_samples, reader_.info().train_count), parameters_);
  });
  require_same_everywhere(comm_, "the initial weights", weights_digest(parameters_));
}

/// Rank 0 chooses the algorithms, and all ranks compute in that way: the same shard then has the same
/// gradient anywhere.
void Trainer::compile() {
  nn::CompileOptions options{.shard_size = plan_.shard_size,
                             .label_smoothing = static_cast<float>(job_.train.label_smoothing),
                             .threads = threads_,
                             .precision = nn::precision_of(job_.parallel.precision),
                             .plan = job_.parallel.algorithms};
  mpi::on_root(comm_, [&] { executor_ = nn::compile(network_, job_.parallel.device, options); });
  if (comm_.is_root()) options.plan = executor_->plan();
  comm_.broadcast(options.plan);
  mpi::together(comm_, [&] {
    if (!executor_) executor_ = nn::compile(network_, job_.parallel.device, options);
    executor_->set_parameters(parameters_);
  });
}

std::optional<EpochReport> Trainer::next_epoch(const Hooks& hooks) {
  const Clock::time_point start = Clock::now();
  EpochPlan plan = plan_;
  plan.steps = upcoming_steps();
  const std::int64_t steps_before = steps_done_in_epoch();
  EpochReport report{.epoch = upcoming_epoch(), .test = {}, .phases = {}};
  if (!train_epoch(plan, report.epoch, hooks)) return std::nullopt;
  set_activity("comparing weights", step_);
  const double train_seconds = comm_.max(seconds_since(start));
  require_same_everywhere(comm_, fmt::format("the weights after epoch {}", report.epoch),
                          weights_digest(parameters_));

  const Sums sums = std::exchange(sums_, {});
  const auto batch = static_cast<double>(plan.batch());
  const double samples = static_cast<double>(plan.steps) * batch;
  report.step = step_;
  report.train_loss = static_cast<double>(comm_.sum(sums.loss)) * loss_unit / samples;
  report.train_top1 = static_cast<double>(comm_.sum(sums.correct)) / samples;
  report.learning_rate_factor = schedule_.factor(step_ - 1);
  report.train_seconds = train_seconds;
  report.images_per_second = static_cast<double>(plan.steps - steps_before) * batch / train_seconds;
  if (is_evaluated(report.epoch)) report.test = last_test_ = evaluate_test("none");
  report.phases = close_phases(seconds_since(start));
  return report;
}

ShardLoader Trainer::make_loader(const EpochPlan& plan, std::uint32_t epoch, std::int64_t first_step) const {
  return {reader_, augmenter_,   plan,         network_.input.height,     job_.train.seed,
          epoch,   comm_.rank(), comm_.size(), {.first_step = first_step}};
}

bool Trainer::train_epoch(const EpochPlan& plan, int epoch, const Hooks& hooks) {
  const std::int64_t first_step = steps_done_in_epoch();
  ShardLoader loader = make_loader(plan, static_cast<std::uint32_t>(epoch) - 1, first_step);
  const auto local_shards = block_range(plan.shards_per_batch, comm_.size(), comm_.rank()).size();
  for (std::int64_t step = first_step; step < plan.steps; ++step) {
    const Requests agreed = train_step(loader, local_shards, hooks.ask ? hooks.ask() : Requests{});
    if (hooks.after_step && !hooks.after_step(step + 1, agreed) && step + 1 < plan.steps) return false;
  }
  record_training(loader.seconds());
  return true;
}

Requests Trainer::train_step(ShardLoader& loader, std::int64_t local_shards, Requests own) {
  gradients_->begin_step(own);
  for (std::int64_t i = 0; i < local_shards; ++i) {
    set_activity("waiting for pictures", step_ + 1);
    const LoadedShard& shard = loader.next();
    set_activity("forward and backward", step_ + 1);
    const bool is_last = i + 1 == local_shards;
    const nn::ShardResult result =
        executor_->forward_backward({shard.images, shard.labels}, gradients_->arena(),
                                    [&](std::size_t end) { gradients_->ready(end, is_last); });
    gradients_->end_shard(is_last);
    sums_.loss += loss_in_units(result.loss);
    sums_.correct += result.correct;
  }
  set_activity("all-reduce", step_ + 1);
  const GradientSum::Outcome outcome = gradients_->finish_step();
  set_activity("optimizer", step_ + 1);
  if (!outcome.is_finite) report_divergence();
  update();
  return outcome.agreed;
}

State Trainer::state() const {
  const Sums sums = steps_done_in_epoch() > 0 ? sums_ : Sums{};
  return {.step = step_,
          .loss = comm_.sum(sums.loss),
          .correct = comm_.sum(sums.correct),
          .parameters = parameters_,
          .optimizer = optimizer_.state(),
          .gradient_sum = gradients_->state()};
}

void Trainer::restore(const State& state) {
  mpi::together(comm_, [&] {
    require(state.step >= 0 && state.step <= total_steps_ && state.parameters.size() == parameters_.size(),
            "a training of {} steps and {} parameters cannot go on from step {} with {} parameters",
            total_steps_, parameters_.size(), state.step, state.parameters.size());
    optimizer_.restore(state.step, state.optimizer);
    gradients_->restore(state.gradient_sum);
    step_ = state.step;
    sums_ = comm_.is_root() ? Sums{state.loss, state.correct} : Sums{};
    parameters_ = state.parameters;
    executor_->set_parameters(parameters_);
  });
}

void Trainer::report_divergence() {
  set_activity("looking for what diverged", step_ + 1);
  const Range shards = block_range(plan_.shards_per_batch, comm_.size(), comm_.rank());
  const std::int64_t step = steps_done_in_epoch();
  const auto epoch = static_cast<std::uint32_t>(upcoming_epoch() - 1);
  ShardLoader loader = make_loader(plan_, epoch, step);
  std::string found;
  for (std::int64_t shard = shards.begin; shard < shards.end && found.empty(); ++shard) {
    std::vector<float> gradients(parameters_.size());
    const LoadedShard& loaded = loader.next();
    const double loss = executor_->forward_backward({loaded.images, loaded.labels}, gradients, {}).loss;
    const std::string where = where_not_finite(network_, loss, gradients);
    if (where.empty()) continue;
    const dataset::EpochOrder order(job_.train.seed, epoch, reader_.info().train_count);
    found = fmt::format("first in {}, over the training pictures {}", where,
                        fmt::join(samples_of_shard(plan_, order, step, shard), ", "));
  }
  std::string first = "no shard's by itself: their gradients have grown more than 10,000-fold in one step";
  for (const std::string& of_rank : comm_.all_gather(found)) {
    if (of_rank.empty()) continue;
    first = of_rank;
    break;
  }
  throw CollectiveError(
      "training has diverged: in epoch {}, step {}, the loss or its gradient is no longer finite; {}; lower "
      "the "
      "learning rate ([optimizer]) or lengthen the warm-up ([schedule])",
      upcoming_epoch(), step_ + 1, first);
}

void Trainer::update() {
  const auto measured = timer_.measure(phase::optimizer);
  optimizer_.step(parameters_, gradients_->arena(), schedule_.factor(step_), plan_.shards_per_batch,
                  plan_.batch());
  executor_->set_parameters(parameters_);
  ++step_;
}

bool Trainer::is_evaluated(int epoch) const {
  if (reader_.info().test_count == 0 || job_.train.evaluate_every < 0) return false;
  return done() || (job_.train.evaluate_every > 0 && epoch % job_.train.evaluate_every == 0);
}

Evaluation Trainer::evaluate_test(const std::string& tta) {
  const auto measured = timer_.measure(phase::evaluate);
  set_activity("evaluation", step_);
  return evaluate(reader_, dataset::Split::test, network_, *executor_, plan_.shard_size, tta, comm_);
}

std::optional<Evaluation> Trainer::final_evaluation() {
  if (reader_.info().test_count == 0 || job_.train.evaluate_every < 0) return std::nullopt;
  if (job_.evaluate.tta == "none" && last_test_) return last_test_;
  const Clock::time_point start = Clock::now();
  const Evaluation result = evaluate_test(job_.evaluate.tta);
  close_phases(seconds_since(start));
  return result;
}

void Trainer::record_training(const ShardLoader::Seconds& loader) {
  const nn::Executor::PassSeconds passes = executor_->take_pass_seconds();
  const GradientBuckets::Seconds buckets = gradients_->buckets().take_seconds();
  timer_.add(phase::read, loader.read);
  timer_.add(phase::augment, loader.augment);
  timer_.add(phase::input_wait, loader.wait);
  timer_.add(phase::forward, passes.forward);
  timer_.add(phase::backward, std::max(0.0, passes.backward - buckets.in_backward));
  timer_.add(phase::all_reduce_exposed, buckets.exposed);
  timer_.add(phase::all_reduce_hidden, buckets.hidden);
}

std::vector<mpi::PhaseStatistics> Trainer::close_phases(double wall) {
  executor_->take_pass_seconds();  // those of the evaluation, which has a phase of its own
  double claimed = 0;
  for (const auto part : {phase::input_wait, phase::forward, phase::backward, phase::all_reduce_exposed,
                          phase::optimizer, phase::evaluate}) {
    claimed += timer_.seconds(part);
  }
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
  return {network_, parameters_, reader_.info().class_names, reader_.digest()};
}

TrainerFacts Trainer::facts() const {
  TrainerFacts facts{.network = nn::describe(network_),
                     .executor = executor_->name(),
                     .plan = executor_->plan(),
                     .gpu = gpu_,
                     .threads = threads_,
                     .executor_bytes = executor_->memory_bytes(),
                     .all_reduce = all_reduce_.all_reduce->name(),
                     .all_reduce_timings = all_reduce_.timings,
                     .element = to_string(gradients_->buckets().arena().element()),
                     .gradient_bytes = gradients_->buckets().arena().size_bytes(),
                     .buckets = gradients_->buckets().count(),
                     .step_cost = gradients_->buckets().cost(),
                     .plan_of_epoch = plan_,
                     .total_steps = total_steps_};
  return facts;
}

}  // namespace whorl::train
