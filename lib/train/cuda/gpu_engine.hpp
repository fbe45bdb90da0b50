// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <vector>

#include "train/step_engine.hpp"

namespace whorl::train {

/// Whether a job's steps can stay on the GPU: sums in float32 (train.reproducible is false), NCCL between
/// ranks, and views that are shifts and mirror images only.
bool stays_on_gpu(const Training& training);

/// Steps that stay on the GPU, each a CUDA graph: gathering and augmenting pictures, forward, backward, sums
/// over ranks and the update. The host is at most two steps ahead, and nothing waits for it.
std::unique_ptr<StepEngine> make_gpu_engine(const Training& training, const std::vector<float>& parameters);

}  // namespace whorl::train
