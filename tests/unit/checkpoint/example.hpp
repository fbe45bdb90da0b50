// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <numeric>

#include "checkpoint/checkpoint.hpp"

namespace whorl::test {

/// Every value differs from every other.
inline checkpoint::Checkpoint example_checkpoint(std::int64_t step) {
  checkpoint::Checkpoint example;
  train::State& state = example.state;
  state.step = step;
  state.loss = 123456789012345;
  state.correct = 678;
  state.parameters.resize(1500);
  state.optimizer.momentum.resize(1500);
  state.optimizer.slow_weights.resize(1500);
  state.gradient_sum.resize(30);
  std::iota(state.parameters.begin(), state.parameters.end(), static_cast<float>(step) + 0.5F);
  std::iota(state.optimizer.momentum.begin(), state.optimizer.momentum.end(), -70000.25F);
  std::iota(state.optimizer.slow_weights.begin(), state.optimizer.slow_weights.end(), 30000.75F);
  std::iota(state.gradient_sum.begin(), state.gradient_sum.end(), -15);
  example.job = "[train]\nbatch = 500\n";
  example.dataset_digest = "0123456789abcdef";
  example.record = R"({"starts": [{"ranks": 2}], "metrics": ["1,2,3"], "phases": [], "train_loss": 0.5})";
  return example;
}

}  // namespace whorl::test
