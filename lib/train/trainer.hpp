// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/block_range.hpp"
#include "collective/fastest.hpp"
#include "dataset/reader.hpp"
#include "mpi/communicator.hpp"
#include "mpi/phase_timer.hpp"
#include "train/augment.hpp"
#include "train/evaluate.hpp"
#include "train/gradient_sum.hpp"
#include "train/job.hpp"
#include "train/loader.hpp"
#include "train/optimizer.hpp"
#include "train/replicas.hpp"
#include "train/schedule.hpp"
#include "train/weights.hpp"

namespace whorl::train {

/// Where a rank's time goes. read, augment and all_reduce_hidden run beside the others; the rest add up to
/// the wall clock.
namespace phase {
enum Index : std::size_t {
  read,
  augment,
  input_wait,
  forward,
  backward,
  all_reduce_exposed,
  all_reduce_hidden,
  optimizer,
  evaluate,
  other
};
std::vector<std::string> names();
}  // namespace phase

/// All that the rest of a training depends on besides job and dataset, between two steps; the same on every
/// rank. Random numbers are keyed by seed, epoch and sample, so they need none.
struct State {
  std::int64_t step = 0;               ///< steps done since the start
  std::int64_t loss = 0, correct = 0;  ///< of the epoch under way, over all ranks; zero between epochs
  std::vector<float> parameters;       ///< arena
  Optimizer::State optimizer;
  std::vector<std::int32_t> gradient_sum;  ///< GradientSum::state()
};

/// One epoch, the same on every rank.
struct EpochReport {
  int epoch = 0;                    ///< from 1
  std::int64_t step = 0;            ///< steps done since the start
  double train_loss = 0;            ///< mean over the epoch, with label smoothing
  double train_top1 = 0;            ///< of the training passes
  std::optional<Evaluation> test;   ///< where the epoch was evaluated
  double learning_rate_factor = 0;  ///< of the last step
  double train_seconds = 0;         ///< slowest rank, evaluation excluded; of a resumed epoch, its rest
  double images_per_second = 0;     ///< training
  std::vector<mpi::PhaseStatistics> phases;
};

/// What a run is made of, for its record.
struct TrainerFacts {
  std::string network;  ///< nn::describe
  std::string executor, plan;
  std::string gpu;                 ///< of rank 0; empty where none is used
  int threads = 0;                 ///< of this rank
  std::size_t executor_bytes = 0;  ///< of all its threads
  std::string all_reduce;
  std::vector<collective::Timing> all_reduce_timings;  ///< of a step's buckets, where the fastest was chosen
  std::string element;                                 ///< what gradients are summed as
  std::size_t gradient_bytes = 0;                      ///< of all buckets
  std::size_t buckets = 0;
  std::optional<collective::Cost> step_cost;  ///< of all buckets of one step, for this rank
  EpochPlan plan_of_epoch;
  std::int64_t total_steps = 0;
};

/// Threads that this rank computes on: the job's, or default_threads(); one drives a GPU. Collective.
int threads_for(const Job& job, const mpi::Communicator& comm);
/// Gives each rank the GPU that the job computes on; "" where it needs none. Collective.
std::string claim_gpu(const Job& job, const mpi::Communicator& comm);

/// Synchronous data-parallel training: the shards of each global batch are dealt out to the ranks, their
/// gradients summed, and every rank makes the same update. All public members but const ones are collective.
///
///   for thread of this rank, beside each other:
///     for shard of this thread in batch:
///       gradients += forward_backward(shard)    each bucket's all-reduce starts during the last shards'
///                                               backward passes
///   wait for the sum; parameters -= optimizer(gradients)
class Trainer {
 public:
  struct Hooks {
    /// Before each step, and now and then while the epoch is evaluated: what this rank asks for; to stop ends
    /// the evaluation, too. May be empty.
    std::function<Requests()> ask;
    /// After each step, with what any rank asked for; collective, and false on all ranks to end the epoch
    /// here. May be empty.
    std::function<bool(std::int64_t steps_done_in_epoch, Requests agreed)> after_step;
  };

  /// Builds, initialises and compiles the network for `reader`'s pictures. `comm` and `reader` must outlive
  /// the trainer.
  Trainer(const Job& job, const mpi::Communicator& comm, const dataset::Reader& reader);

  std::int64_t steps_done() const { return step_; }
  bool done() const { return step_ == total_steps_; }
  /// Trains one epoch (the last may be a part), evaluates it if the job asks for it, and compares the weights
  /// of all ranks. Nothing where a hook ended it before its last step. Throws CollectiveError when gradients
  /// are not finite or weights differ.
  std::optional<EpochReport> next_epoch(const Hooks& hooks = {});
  /// After the last epoch: the test split with the job's test-time augmentation; the last epoch's result
  /// again where that is "none". Nothing where epochs are not evaluated either.
  std::optional<Evaluation> final_evaluation();

  /// Between two steps, also within Hooks::after_step; after the last one of an epoch, that epoch counts as
  /// over.
  State state() const;
  /// Goes on from there: the same weights as without a break, bit for bit where the job is reproducible, and
  /// the same loss of the epoch. Throws for the state of another network or optimizer.
  void restore(const State& state);

  int epochs() const;
  /// From 1; the one that next_epoch() trains.
  int upcoming_epoch() const { return static_cast<int>(step_ / plan_.steps) + 1; }
  /// Of the upcoming epoch, those already done included.
  std::int64_t upcoming_steps() const { return std::min(plan_.steps, total_steps_ - first_step_of_epoch()); }
  std::int64_t steps_done_in_epoch() const { return step_ - first_step_of_epoch(); }

  TrainerFacts facts() const;
  /// Phases since construction, set-up left out.
  std::vector<mpi::PhaseStatistics> total_phases() const { return total_timer_.reduce(comm_); }
  /// What save_weights() stores.
  Weights weights() const;

 private:
  struct Sums {
    std::int64_t loss = 0;  // in units of loss_unit, so that ranks do not matter
    std::int64_t correct = 0;
    Sums& operator+=(const Sums& other);
  };
  void initialise_parameters();
  void compile();
  std::int64_t first_step_of_epoch() const { return step_ / plan_.steps * plan_.steps; }
  /// This rank's shards of each batch, and those of them that a replica computes: at least one for each of
  /// the first busy_replicas().
  Range local_shards() const { return block_range(plan_.shards_per_batch, comm_.size(), comm_.rank()); }
  Range shards_of(int replica) const;
  int busy_replicas() const;
  /// `epoch` from 0, `first_step` of it.
  ShardLoader make_loader(const EpochPlan& plan, std::uint32_t epoch, std::int64_t first_step,
                          Range shards) const;
  /// Adds to sums_; false where a hook ended it.
  bool train_epoch(const EpochPlan& plan, int epoch, const Hooks& hooks);
  /// One loader for each busy replica. Returns what the ranks agreed on.
  Requests train_step(std::vector<ShardLoader>& loaders, Requests own);
  /// The next shard of this replica; on its thread.
  Sums compute_shard(int replica, ShardLoader& loader, bool is_last);
  /// Throws on all ranks: where the step that has just been computed came to values that are no numbers, and
  /// for which pictures. Computes it again.
  [[noreturn]] void report_divergence();
  void update();
  bool is_evaluated(int epoch) const;
  std::optional<Evaluation> evaluate_test(const std::string& tta, const std::function<bool()>& stop = {});
  void record_training(const std::vector<ShardLoader>& loaders);
  /// Ends the epoch's clock: what no phase has claimed of `wall` seconds is `other`. Returns the phases over
  /// all ranks.
  std::vector<mpi::PhaseStatistics> close_phases(double wall);

  const Job job_;
  const mpi::Communicator& comm_;
  const dataset::Reader& reader_;
  const EpochPlan plan_;
  const std::int64_t total_steps_;
  const int threads_;
  const std::string gpu_;  // claimed before anything that uses it
  nn::Network network_;
  std::vector<float> parameters_;  // arena
  std::unique_ptr<Replicas> replicas_;
  collective::Fastest all_reduce_;
  std::unique_ptr<GradientSum> gradients_;
  Schedule schedule_;
  Optimizer optimizer_;
  Augmenter augmenter_;
  std::int64_t step_ = 0;
  Sums sums_;  // of this rank, in the epoch under way
  std::optional<Evaluation> last_test_;
  mpi::PhaseTimer timer_, total_timer_;
};

}  // namespace whorl::train
