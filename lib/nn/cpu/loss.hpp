// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

#include "nn/cpu/blocked_tensor.hpp"
#include "nn/executor.hpp"

namespace whorl::nn::cpu {

/// Softmax cross-entropy against targets (1 - smoothing) one-hot + smoothing / classes, summed over the
/// shard, its gradient, and the number of pictures whose first largest logit is the label's. `logits` and
/// `gradient` have one pixel; padded channels of the gradient become zero.
ShardResult cross_entropy(const BlockedShape& shape, const float* logits,
                          std::span<const std::int32_t> labels, float smoothing, float* gradient);

}  // namespace whorl::nn::cpu
