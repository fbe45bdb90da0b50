// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"
#include "nn/network.hpp"

namespace whorl::train {

struct OptimizerOptions {
  /// sgd | muon (for trained convolutions with kernel > 1; SGD for the rest)
  std::string kind = "sgd";
  std::string loss = "mean";      ///< mean | sum: gradient of the mean, or of the sum, over the global batch
  double learning_rate = 0.1;     ///< SGD, everything without a rate of its own
  double bias_learning_rate = 0;  ///< biases and batch-norm shifts and scales; 0: learning_rate
  double head_learning_rate = 0;  ///< weights of linear layers; 0: learning_rate
  double momentum = 0.9;
  double weight_decay = 5e-4;
  /// coupled: g += wd*p. decoupled: p *= 1 - lr*wd. coupled-by-rate: g += (wd/initial lr)*p (airbench94).
  std::string decay = "coupled";
  bool decay_bias = false;  ///< also decay biases and batch-norm parameters
  double muon_learning_rate = 0.24;
  double muon_momentum = 0.6;
  int muon_iterations = 3;  ///< Newton-Schulz
  int lookahead_every = 0;  ///< steps; 0: no Lookahead (Zhang et al. 2019)
  double lookahead_factor = 0.5;
  /// Biases of whitening layers train this long, with a rate that falls linearly to 0; -1: as other biases.
  double whitening_bias_epochs = -1;
};

/// Updates a parameter arena from a summed gradient arena; identical input gives identical output on every
/// rank, for any number of OpenMP threads and of ranks on a node (Muon's matrices are shared out among them).
///
/// SGD, with momentum m: g = gradient (+ coupled decay), buf = m buf + g, p -= rate * (g + m buf) (PyTorch's
/// nesterov=True).
///
/// Muon (Jordan 2024, as in airbench94): the same buf; then, with C filters, W <- W sqrt(C) / ||W|| and
/// W -= rate * orthogonalised(g + m buf) as a (C, rest) matrix; no weight decay.
///
/// Lookahead, every k steps and after the last: slow += factor * (fast - slow), fast = slow; running
/// statistics included.
class Optimizer {
 public:
  /// Throws UsageError for unknown words and impossible values.
  /// `total_steps`, `steps_per_epoch`: of the whole training, for the whitening bias and the final Lookahead.
  /// `node`, which has to outlive the optimizer: the ranks that share out Muon's matrices; all of them then
  /// call step() together, with the same numbers. Null: each computes all.
  Optimizer(const nn::Network& network, OptimizerOptions options, std::int64_t total_steps,
            std::int64_t steps_per_epoch, const mpi::Communicator* node = nullptr);
  ~Optimizer();

  /// One step. `gradients` is the sum over all shards of the global batch (running-statistics slots
  /// included), `shards` and `batch` how many shards and pictures it sums. `factor` comes from Schedule.
  /// Frozen tensors stay. Running statistics are updated by their batch-norm's momentum.
  void step(std::span<float> parameters, std::span<const float> gradients, double factor, int shards,
            std::int64_t batch);

  /// What later steps depend on besides the parameters.
  struct State {
    std::vector<float> momentum;      ///< an arena
    std::vector<float> slow_weights;  ///< an arena with Lookahead after the first step, else empty
  };
  const State& state() const;
  /// Goes on after `steps` steps. Throws for arenas of another network.
  void restore(std::int64_t steps, State state);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whorl::train
