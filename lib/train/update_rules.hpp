// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "nn/network.hpp"
#include "train/optimizer.hpp"

namespace whorl::train {

/// How one tensor of the arena is updated, in all steps.
struct Update {
  enum class Rule { running_statistic, sgd, whitening_bias, muon };
  Rule rule = Rule::sgd;
  std::size_t offset = 0, count = 0;
  double rate = 0;  ///< base learning rate
  bool decays = false;
  float statistic_momentum = 0;
  int rows = 0, columns = 0;  ///< of the Muon matrix
};

/// Of a tensor in one step: g = gradient_scale * gradient + coupled_decay * p,
/// buffer = momentum * buffer + g, p = keep * p - rate * (g + momentum * buffer). A running statistic has
/// momentum 0 and rate -1. Muon uses gradient_scale, momentum and rate.
struct UpdateCoefficients {
  float gradient_scale = 1, coupled_decay = 0, keep = 1, momentum = 0, rate = 0;
};

/// What OptimizerOptions mean for each tensor of a network in each step, for whatever computes it.
class UpdateRules {
 public:
  /// See Optimizer.
  UpdateRules(const nn::Network& network, OptimizerOptions options, std::int64_t total_steps,
              std::int64_t steps_per_epoch);

  const OptimizerOptions& options() const { return options_; }
  /// Of all tensors that change, in the arena's order.
  const std::vector<Update>& updates() const { return updates_; }

  struct Step {
    std::int64_t number = 0;  ///< from 0
    double factor = 1;        ///< of the schedule
    int shards = 1;           ///< that the gradient sums
    std::int64_t batch = 1;   ///< pictures that it sums
  };
  /// Nothing where the tensor rests in that step.
  std::optional<UpdateCoefficients> coefficients(const Update& update, const Step& step) const;
  /// By how much the slow weights follow after a step; 0 where Lookahead waits.
  float look_ahead_weight(std::int64_t step) const;

 private:
  OptimizerOptions options_;
  std::int64_t total_steps_, whitening_steps_;
  std::vector<Update> updates_;
};

}  // namespace whorl::train
