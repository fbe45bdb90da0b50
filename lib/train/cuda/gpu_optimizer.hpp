// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gpu/memory.hpp"
#include "gpu/stream.hpp"
#include "nn/cuda/step.hpp"
#include "train/cuda/newton_schulz.hpp"
#include "train/optimizer.hpp"
#include "train/step_engine.hpp"
#include "train/update_rules.hpp"

namespace whorl::train {

/// Optimizer for arenas in GPU memory. What changes from step to step, learning rates above all, is a table
/// there, with a row for each step of the epoch.
class GpuOptimizer {
 public:
  /// Changes device.parameters. `training` and `device` outlive it.
  GpuOptimizer(const Training& training, nn::cuda::Device& device);

  /// Fills the tables for the steps of an epoch, from 0.
  void begin_epoch(std::uint32_t epoch);
  /// Queues one update by the summed `gradients`, an arena, with the tables' row *step. May be captured.
  void queue_step(const float* gradients, const std::int64_t* step);

  /// After `steps` steps. Waits for all that is queued.
  Optimizer::State state(std::int64_t steps);
  /// Goes on after `steps` steps, from device.parameters; see Optimizer::restore.
  void restore(std::int64_t steps, const Optimizer::State& state);

 private:
  void assign_rules();
  void prepare_muon();
  nn::cuda::RuleTable table(const std::int64_t* step) const;
  std::int64_t floats() const {
    return static_cast<std::int64_t>(device_.parameters.bytes() / sizeof(float));
  }

  const Training training_;
  nn::cuda::Device& device_;
  gpu::Stream& stream_;
  UpdateRules rules_;
  std::vector<Update> columns_;  ///< of the table: one of all tensors that follow the same rule
  int muon_column_ = -1;
  gpu::DeviceMemory momentum_, slow_weights_;          ///< arenas; slow weights with Lookahead only
  gpu::DeviceMemory rule_of_group_;                    ///< by 16 floats
  gpu::DeviceMemory table_, look_ahead_weights_;       ///< by step of the epoch
  gpu::DeviceMemory matrices_, direction_, partials_;  ///< of Muon
  int matrix_count_ = 0;
  std::optional<NewtonSchulz> newton_schulz_;
};

}  // namespace whorl::train
