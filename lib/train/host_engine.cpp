// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "base/activity.hpp"
#include "base/block_range.hpp"
#include "base/error.hpp"
#include "base/stopwatch.hpp"
#include "collective/background.hpp"
#include "train/compile.hpp"
#include "train/divergence.hpp"
#include "train/phase.hpp"
#include "train/replicas.hpp"
#include "train/step_engine.hpp"
#include "train/weights.hpp"

namespace whorl::train {

namespace {

collective::Fastest choose_all_reduce(const Training& training) {
  using collective::Element;
  const ParallelOptions& parallel = training.job.parallel;
  const collective::Options options{.chunk_bytes = parallel.chunk_bytes,
                                    .nccl_algorithm = parallel.nccl_algorithm};
  const Element element = training.job.train.reproducible ? Element::int64 : Element::float32;
  const std::vector<std::string> names = parallel.all_reduce == "auto"
                                             ? collective::suitable_algorithms(training.comm)
                                             : std::vector{parallel.all_reduce};
  collective::Fastest chosen =
      collective::make_fastest(names, training.comm, options, element,
                               bucket_counts(training.network.parameters, element, parallel.bucket_bytes));
  if (parallel.progress == "thread")
    chosen.all_reduce = std::make_unique<collective::Background>(std::move(chosen.all_reduce));
  return chosen;
}

std::unique_ptr<GradientSum> make_gradient_sum(const Training& training, collective::AllReduce& all_reduce,
                                               int replicas) {
  const std::size_t bucket_bytes = training.job.parallel.bucket_bytes;
  if (!training.job.train.reproducible)
    return std::make_unique<FloatGradientSum>(all_reduce, training.network.parameters, bucket_bytes,
                                              replicas);
  return std::make_unique<ExactGradientSum>(all_reduce, training.comm, training.network.parameters,
                                            training.plan.shards_per_batch, bucket_bytes, replicas);
}

/// Parameters, optimizer and sums lie in this rank's memory; replicas of the network compute shards, which
/// threads load.
class HostEngine final : public StepEngine {
 public:
  HostEngine(const Training& training, const std::vector<float>& parameters)
      : training_(training),
        job_(training.job),
        comm_(training.comm),
        parameters_(parameters),
        shards_(block_range(training.plan.shards_per_batch, comm_.size(), comm_.rank())),
        all_reduce_(choose_all_reduce(training)),
        gradients_(make_gradient_sum(training, *all_reduce_.all_reduce, std::max(1, busy_replicas()))),
        node_(comm_.split_by_node()),
        optimizer_(training.network, job_.optimizer, training.total_steps, training.plan.steps, &node_),
        augmenter_(job_.augment, training.reader.info().image_size, training.network.input.height,
                   training.reader.info().channel_mean.data(), job_.train.seed) {
    replicas_ = compile_alike(training, [&](const nn::CompileOptions& options) {
      return std::make_unique<Replicas>(training_.network, job_.parallel.device, options, training_.threads);
    });
    mpi::together(comm_, [&] { replicas_->set_parameters(parameters_); });
  }

  void begin_epoch(const EpochSteps& steps) override {
    steps_ = steps;
    next_step_ = steps.first_step;
    for (int replica = 0; replica < busy_replicas(); ++replica)
      loaders_.push_back(make_loader(shards_of(replica)));
  }

  Requests step(Requests own) override;

  void end_epoch() override {
    for (const ShardLoader& loader : loaders_) {
      loader_seconds_.read += loader.seconds().read;
      loader_seconds_.augment += loader.seconds().augment;
    }
    if (!loaders_.empty()) loader_seconds_.wait += loaders_.front().seconds().wait;
    loaders_.clear();
  }

  LossSums take_sums() override { return std::exchange(sums_, {}); }
  void add_times(mpi::PhaseTimer& timer) override;
  std::string digest() override { return weights_digest(parameters_); }
  std::vector<float> parameters() override { return parameters_; }
  void save(State& state) override;
  void restore(const State& state) override;
  std::optional<Evaluation> evaluate(const std::string& tta, const std::function<bool()>& stop) override {
    std::optional<Evaluation> result =
        train::evaluate(training_.reader, dataset::Split::test, training_.network, *replicas_,
                        training_.plan.shard_size, tta, comm_, stop);
    replicas_->take_pass_seconds();  // of the evaluation, which has a phase of its own
    return result;
  }
  EngineFacts facts() const override;

 private:
  /// Those of this rank's shards that a replica computes: at least one for each of the first
  /// busy_replicas().
  Range shards_of(int replica) const;
  int busy_replicas() const {
    return static_cast<int>(std::min<std::int64_t>(training_.threads, shards_.size()));
  }
  /// From the next step on.
  ShardLoader make_loader(Range shards) const;
  /// The next shard of this replica; on its thread.
  LossSums compute_shard(int replica, bool is_last);
  /// From 1, since the start of the training: of the step that is computed now.
  std::int64_t step_number() const { return steps_.epoch * training_.plan.steps + next_step_ + 1; }
  void begin_gradients(Requests own);
  GradientSum::Outcome finish_gradients();
  void update();
  /// Throws on all ranks: where the step that has just been computed came to values that are no numbers, and
  /// for which pictures. Computes it again.
  [[noreturn]] void report_divergence();

  const Training training_;
  const Job& job_;
  const mpi::Communicator& comm_;
  std::vector<float> parameters_;  // arena
  Range shards_;                   // this rank's, of each batch
  std::unique_ptr<Replicas> replicas_;
  collective::Fastest all_reduce_;
  std::unique_ptr<GradientSum> gradients_;
  mpi::Communicator node_;
  Optimizer optimizer_;
  Augmenter augmenter_;
  EpochSteps steps_;
  std::int64_t next_step_ = 0;        // of the epoch
  std::vector<ShardLoader> loaders_;  // one for each busy replica
  LossSums sums_;
  ShardLoader::Seconds loader_seconds_;  // reading of all threads, waiting of the first
  struct Seconds {
    std::vector<double> exposed;  ///< of each step: spent on communication
    double gradients = 0;         ///< on them outside of the passes, communication included
    double thread_wait = 0;       ///< for the other threads' shards
    double optimizer = 0;
  } seconds_;
};

Range HostEngine::shards_of(int replica) const {
  const Range part = block_range(shards_.size(), busy_replicas(), replica);
  return {shards_.begin + part.begin, shards_.begin + part.end};
}

ShardLoader HostEngine::make_loader(Range shards) const {
  EpochPlan plan = training_.plan;
  plan.steps = steps_.steps;
  return {training_.reader, augmenter_,   plan,   training_.network.input.height,
          job_.train.seed,  steps_.epoch, shards, {.first_step = next_step_}};
}

Requests HostEngine::step(Requests own) {
  begin_gradients(own);
  const bool has_shards = !loaders_.empty();
  const bool learns_from_first = has_shards && !gradients_->is_calibrated();
  if (learns_from_first) sums_ += compute_shard(0, shards_of(0).size() == 1);
  std::vector<LossSums> sums(loaders_.size());
  const auto compute = [&](int replica, nn::Executor&) {
    const std::int64_t shards = shards_of(replica).size();
    for (std::int64_t i = replica == 0 && learns_from_first ? 1 : 0; i < shards; ++i)
      sums[static_cast<std::size_t>(replica)] += compute_shard(replica, i + 1 == shards);
  };
  if (has_shards) seconds_.thread_wait += replicas_->run(busy_replicas(), compute);
  for (const LossSums& one : sums) sums_ += one;
  set_activity("all-reduce", step_number());
  const GradientSum::Outcome outcome = finish_gradients();
  set_activity("optimizer", step_number());
  if (!outcome.is_finite) report_divergence();
  update();
  return outcome.agreed;
}

LossSums HostEngine::compute_shard(int replica, bool is_last) {
  if (replica == 0) set_activity("waiting for pictures", step_number());
  const LoadedShard& shard = loaders_[static_cast<std::size_t>(replica)].next();
  if (replica == 0) set_activity("forward and backward", step_number());
  const nn::ShardResult result = (*replicas_)[replica].forward_backward(
      {shard.images, shard.labels}, gradients_->arena(replica),
      [&](std::size_t end) { gradients_->ready(replica, end, is_last); });
  double seconds = 0;
  {
    const Stopwatch stopwatch(seconds);
    gradients_->end_shard(replica, is_last);
  }
  if (replica == 0) seconds_.gradients += seconds;
  return {LossSums::in_units(result.loss), result.correct};
}

void HostEngine::begin_gradients(Requests own) {
  const Stopwatch stopwatch(seconds_.gradients);
  gradients_->begin_step(own);
}

GradientSum::Outcome HostEngine::finish_gradients() {
  const Stopwatch stopwatch(seconds_.gradients);
  const GradientSum::Outcome outcome = gradients_->finish_step();
  seconds_.exposed.push_back(gradients_->buckets().take_exposed());
  return outcome;
}

void HostEngine::update() {
  const Stopwatch stopwatch(seconds_.optimizer);
  optimizer_.step(parameters_, gradients_->sum(), training_.schedule.factor(step_number() - 1),
                  training_.plan.shards_per_batch, training_.plan.batch());
  replicas_->set_parameters(parameters_);
  ++next_step_;
}

void HostEngine::report_divergence() {
  set_activity("looking for what diverged", step_number());
  ShardLoader loader = make_loader(shards_);
  std::string found;
  for (std::int64_t shard = shards_.begin; shard < shards_.end && found.empty(); ++shard) {
    std::vector<float> gradients(parameters_.size());
    const LoadedShard& loaded = loader.next();
    const double loss = (*replicas_)[0].forward_backward({loaded.images, loaded.labels}, gradients, {}).loss;
    const std::string where = where_not_finite(training_.network, loss, gradients);
    if (where.empty()) continue;
    const dataset::EpochOrder order(job_.train.seed, steps_.epoch, training_.reader.info().train_count);
    found = fmt::format("first in {}, over the training pictures {}", where,
                        fmt::join(samples_of_shard(training_.plan, order, next_step_, shard), ", "));
  }
  std::string first = "no shard's by itself: their gradients have grown more than 10,000-fold in one step";
  for (const std::string& of_rank : comm_.all_gather(found)) {
    if (of_rank.empty()) continue;
    first = of_rank;
    break;
  }
  throw CollectiveError(
      "training has diverged: in epoch {}, step {}, the loss or its gradient is no longer finite; {}; "
      "lower the learning rate ([optimizer]) or lengthen the warm-up ([schedule])",
      steps_.epoch + 1, step_number(), first);
}

void HostEngine::add_times(mpi::PhaseTimer& timer) {
  const ShardLoader::Seconds loader = std::exchange(loader_seconds_, {});
  const nn::Executor::PassSeconds passes = replicas_->take_pass_seconds();
  Seconds seconds = std::exchange(seconds_, {});
  const double exposed = std::accumulate(seconds.exposed.begin(), seconds.exposed.end(), 0.0);
  const double alone = all_reduce_.seconds * static_cast<double>(seconds.exposed.size());
  timer.add(phase::read, loader.read);
  timer.add(phase::augment, loader.augment);
  timer.add(phase::input_wait, loader.wait);
  timer.add(phase::forward, passes.forward);
  timer.add(phase::backward, passes.backward + seconds.gradients - exposed);
  const double unhidden = phase::add_exposed(timer, std::move(seconds.exposed), comm_);
  timer.add(phase::all_reduce_hidden, std::max(0.0, alone - unhidden));
  timer.add(phase::rank_wait, seconds.thread_wait);
  timer.add(phase::optimizer, seconds.optimizer);
}

void HostEngine::save(State& state) {
  state.loss = comm_.sum(sums_.loss);
  state.correct = comm_.sum(sums_.correct);
  state.parameters = parameters_;
  state.optimizer = optimizer_.state();
  state.gradient_sum = gradients_->state();
}

void HostEngine::restore(const State& state) {
  mpi::together(comm_, [&] {
    optimizer_.restore(state.step, state.optimizer);
    gradients_->restore(state.gradient_sum);
    sums_ = comm_.is_root() ? LossSums{state.loss, state.correct} : LossSums{};
    parameters_ = state.parameters;
    replicas_->set_parameters(parameters_);
  });
}

EngineFacts HostEngine::facts() const {
  const GradientBuckets& buckets = gradients_->buckets();
  return {.executor = replicas_->name(),
          .plan = replicas_->plan(),
          .executor_bytes = replicas_->memory_bytes(),
          .all_reduce = all_reduce_.all_reduce->name(),
          .all_reduce_timings = all_reduce_.timings,
          .element = to_string(buckets.arena().element()),
          .gradient_bytes = buckets.arena().size_bytes(),
          .buckets = buckets.count(),
          .step_cost = buckets.cost()};
}

}  // namespace

std::unique_ptr<StepEngine> make_host_engine(const Training& training, const std::vector<float>& parameters) {
  return std::make_unique<HostEngine>(training, parameters);
}

}  // namespace whorl::train
