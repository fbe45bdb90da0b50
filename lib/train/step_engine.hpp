// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collective/fastest.hpp"
#include "dataset/reader.hpp"
#include "mpi/communicator.hpp"
#include "mpi/phase_timer.hpp"
#include "train/evaluate.hpp"
#include "train/gradient_sum.hpp"
#include "train/job.hpp"
#include "train/loader.hpp"
#include "train/optimizer.hpp"
#include "train/schedule.hpp"

namespace whorl::train {

/// All that the rest of a training depends on besides job and dataset, between two steps; the same on every
/// rank. Random numbers are keyed by seed, epoch and sample, so they need none.
struct State {
  std::int64_t step = 0;               ///< steps done since the start
  std::int64_t loss = 0, correct = 0;  ///< of the epoch under way, over all ranks; zero between epochs
  std::vector<float> parameters;       ///< arena
  Optimizer::State optimizer;
  std::vector<std::int32_t> gradient_sum;  ///< GradientSum::state()
};

/// Of this rank, over steps: the loss in units, so that the sum over ranks does not depend on their number.
struct LossSums {
  static constexpr double unit = 1.0 / (1 << 24);
  std::int64_t loss = 0, correct = 0;
  LossSums& operator+=(const LossSums& other) {
    loss += other.loss;
    correct += other.correct;
    return *this;
  }
  /// A loss that is not finite counts as 0: it comes with gradients that are not, and these end the training.
  static std::int64_t in_units(double loss);
};

/// How an engine computes, for the run's record.
struct EngineFacts {
  std::string executor, plan;
  std::size_t executor_bytes = 0;  ///< of all threads
  std::string all_reduce;
  std::vector<collective::Timing> all_reduce_timings;  ///< of a step's buckets, with nothing beside them
  std::string element;                                 ///< what gradients are summed as
  std::size_t gradient_bytes = 0;                      ///< of all buckets
  std::size_t buckets = 0;
  std::optional<collective::Cost> step_cost;  ///< of all buckets of one step, for this rank
  double traffic_per_picture = 0;             ///< in a GPU's memory, bytes; 0: not counted
};

/// What all engines compute; everything outlives them.
struct Training {
  const Job& job;
  const mpi::Communicator& comm;
  const dataset::Reader& reader;
  const nn::Network& network;
  const Schedule& schedule;
  EpochPlan plan;
  std::int64_t total_steps = 0;
  int threads = 1;
};

/// Computes the steps of a training: where weights, optimizer and pictures live, and how ranks sum gradients.
///
///   for thread of this rank, beside each other:
///     for shard of this thread in batch: gradients += forward_backward(shard)
///   sum the gradients of all ranks; parameters -= optimizer(gradients)
///
/// All members but facts() are collective.
class StepEngine {
 public:
  virtual ~StepEngine() = default;

  struct EpochSteps {
    std::uint32_t epoch = 0;                 ///< from 0
    std::int64_t first_step = 0, steps = 0;  ///< those before `first_step` of `steps` are done
  };
  /// step() computes this epoch's from now on.
  virtual void begin_epoch(const EpochSteps& steps) = 0;
  /// Computes the next step of the epoch, or queues it. Returns what the ranks have agreed on. Throws
  /// CollectiveError where gradients are not finite.
  virtual Requests step(Requests own) = 0;
  /// Returns when what step() was called for is done. Throws as step() does.
  virtual void end_epoch() = 0;

  /// Between two steps, the following too. Of the steps since the last call.
  virtual LossSums take_sums() = 0;
  /// Adds the seconds of the phases of steps since the last call.
  virtual void add_times(mpi::PhaseTimer& timer) = 0;
  /// Fingerprint of the weights, to be compared between ranks.
  virtual std::string digest() = 0;
  virtual std::vector<float> parameters() = 0;
  /// Sets all but State::step; loss and correct are summed over the ranks.
  virtual void save(State& state) = 0;
  /// Throws for the state of another network or optimizer.
  virtual void restore(const State& state) = 0;
  /// Of the test pictures with the weights of the last step, as train::evaluate() does it.
  virtual std::optional<Evaluation> evaluate(const std::string& tta, const std::function<bool()>& stop) = 0;
  virtual EngineFacts facts() const = 0;
};

/// The engine for a job, starting from `parameters`, an arena. Collective.
std::unique_ptr<StepEngine> make_engine(const Training& training, const std::vector<float>& parameters);
/// Steps driven by the host, shard by shard, on any executor.
std::unique_ptr<StepEngine> make_host_engine(const Training& training, const std::vector<float>& parameters);

}  // namespace whorl::train
