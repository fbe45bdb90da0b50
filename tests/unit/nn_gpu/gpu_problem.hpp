// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>

#include "gpu/device.hpp"
#include "nn_cpu/problem.hpp"

namespace whorl::nn {

inline constexpr Normalisation normalisation{{0.49F, 0.48F, 0.45F}, {0.25F, 0.24F, 0.26F}};

/// Runs on the GPU that CUDA offers first, which may be the emulated one.
class GpuTest : public testing::Test {
 protected:
  void SetUp() override {
    if (gpu::count_gpus() == 0) GTEST_SKIP() << "there is no GPU here";
  }
};

/// Compiled for `problem`, and the problem's parameters.
inline std::unique_ptr<Executor> gpu_executor(const Problem& problem) {
  auto executor = compile(problem.network, "gpu", problem.options());
  executor->set_parameters(problem.parameters);
  return executor;
}

inline std::vector<float> gradients_of(Executor& executor, const Problem& problem, float before = 0) {
  std::vector<float> gradients(problem.parameters.size(), before);
  executor.forward_backward(problem.shard(), gradients, {});
  return gradients;
}

}  // namespace whorl::nn
