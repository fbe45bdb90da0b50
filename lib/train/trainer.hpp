// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataset/reader.hpp"
#include "mpi/communicator.hpp"
#include "mpi/phase_timer.hpp"
#include "nn/executor.hpp"
#include "train/cuda/gpu_ceilings.hpp"
#include "train/evaluate.hpp"
#include "train/job.hpp"
#include "train/loader.hpp"
#include "train/phase.hpp"
#include "train/schedule.hpp"
#include "train/step_engine.hpp"
#include "train/weights.hpp"

namespace whorl::train {

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
struct TrainerFacts : EngineFacts {
  std::string network;        ///< nn::describe
  std::string gpu;            ///< of rank 0; empty where none is used
  double training_flops = 0;  ///< of a picture, see nn::training_flops()
  GpuCeilings gpu_ceilings;   ///< of rank 0's GPU, see Trainer::measure_gpu()
  int threads = 0;            ///< of this rank
  EpochPlan plan_of_epoch;
  std::int64_t total_steps = 0;
};

/// Threads that this rank computes on: the job's, or mpi::default_threads(); one drives a GPU. Collective.
int threads_for(const Job& job, const mpi::Communicator& comm);
/// Gives each rank the GPU that the job computes on; "" where it needs none. Collective.
std::string claim_gpu(const Job& job, const mpi::Communicator& comm);

/// Synchronous data-parallel training: the shards of each global batch are dealt out to the ranks, their
/// gradients summed, and every rank makes the same update; a StepEngine computes that. All public members but
/// const ones are collective.
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

  /// Tries how fast rank 0's GPU multiplies large matrices in the job's precision, and copies them, for
  /// facts(). Takes some hundredths of a second; nothing where no GPU is used, or its memory is full.
  /// Collective.
  void measure_gpu();

  std::int64_t steps_done() const { return step_; }
  bool done() const { return step_ == total_steps_; }
  /// Trains one epoch (the last may be a part), evaluates it if the job asks for it, and compares the weights
  /// of all ranks. Nothing where a hook ended it before its last step. Throws CollectiveError when gradients
  /// are not finite or weights differ.
  std::optional<EpochReport> next_epoch(const Hooks& hooks = {});
  /// Between two epochs: whether the job asks for an evaluation of the one before. Where next_epoch()
  /// reported none all the same, it was stopped. Not collective.
  bool is_evaluation_due() const;
  /// Makes up for an evaluation that was stopped; nothing where none is due. `stop` is asked now and then,
  /// and ends it.
  std::optional<Evaluation> make_up_evaluation(const std::function<bool()>& stop = {});
  /// Whether there is a final_evaluation().
  bool is_evaluated_finally() const;
  /// After the last epoch: the test split with the job's test-time augmentation; the last epoch's result
  /// again where that is "none". Nothing where epochs are not evaluated either, or where `stop` ended it.
  std::optional<Evaluation> final_evaluation(const std::function<bool()>& stop = {});

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
  std::vector<float> initial_parameters() const;
  std::int64_t first_step_of_epoch() const { return step_ / plan_.steps * plan_.steps; }
  /// Up to `steps` of the upcoming epoch; false where a hook ended it.
  bool train_epoch(std::int64_t steps, const Hooks& hooks);
  std::optional<Evaluation> evaluate_epoch(const std::function<bool()>& stop);
  std::optional<Evaluation> evaluate_test(const std::string& tta, const std::function<bool()>& stop = {});
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
  GpuCeilings gpu_ceilings_;
  nn::Network network_;
  Schedule schedule_;
  std::unique_ptr<StepEngine> engine_;
  std::int64_t step_ = 0;
  std::optional<Evaluation> last_test_;
  mpi::PhaseTimer timer_, total_timer_;
};

}  // namespace whorl::train
