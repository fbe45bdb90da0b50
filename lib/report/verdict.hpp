// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mpi/phase_timer.hpp"
#include "train/cuda/gpu_ceilings.hpp"
#include "train/evaluate.hpp"

namespace whorl::report {

/// What a verdict is passed on.
struct RunSummary {
  std::vector<mpi::PhaseStatistics> phases;  ///< of the whole run, in the order of train::phase
  std::optional<train::Evaluation> test;     ///< the last, with test-time augmentation
  std::optional<train::Evaluation> plain;    ///< the last without
  std::string tta = "none";
  std::string all_reduce;    ///< what sums gradients, for people
  double train_loss = 0;     ///< last epoch
  std::int64_t images = 0;   ///< trained, over all epochs and ranks
  double train_seconds = 0;  ///< evaluation excluded
  double setup_seconds = 0;
  double training_flops = 0;       ///< of a picture
  double traffic_per_picture = 0;  ///< see train::EngineFacts
  train::GpuCeilings gpu_ceilings;
  std::string precision;             ///< of the products that these were measured with
  std::int64_t resumed_at_step = 0;  ///< 0: began here
  int threads = 1;                   ///< of rank 0
  std::vector<std::string> hosts;    ///< by rank
};

/// How unequal the ranks' computing times are (forward, backward, optimizer).
struct Imbalance {
  double excess = 0;  ///< max / mean - 1
  int rank = 0;       ///< slowest
};
Imbalance imbalance_of(const std::vector<mpi::PhaseStatistics>& phases);

/// The share of the time that sums over the ranks take alone which was hidden behind computation, in [0, 1];
/// nothing with one rank.
std::optional<double> hidden_share(const std::vector<mpi::PhaseStatistics>& phases);

/// Pictures that each rank trains on, over all the time of its steps.
double pictures_per_second(const RunSummary& run);

/// Lines for people: accuracy, speed, where the time went, what bounds the run and why, imbalance, hidden
/// communication, FLOP/s of a GPU against what it can do.
std::string verdict(const RunSummary& run);

}  // namespace whorl::report
