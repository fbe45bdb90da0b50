// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "nn/cpu/blocked_tensor.hpp"
#include "nn/cpu/groups.hpp"
#include "nn/cpu/memory_plan.hpp"

namespace whorl::nn::cpu {

/// Where a group finds and leaves its tensors. Pointers of parts that it lacks, or that are not stored, are
/// null.
struct GroupBuffers {
  BlockedShape input_shape, output_shape;
  float* input = nullptr;
  float* residual = nullptr;
  float* pooled = nullptr;  ///< after the group's max pooling, kept for the backward pass; the input where
                            ///< there is no pooling
  std::uint16_t* winners = nullptr;
  float* output = nullptr;

  float* output_gradient = nullptr;
  float* input_gradient = nullptr;     ///< null if not needed
  float* residual_gradient = nullptr;  ///< null if not needed
  bool add_to_input_gradient =
      false;  ///< another group that reads the same layer has written its gradient already
  bool add_to_residual_gradient = false;
  float* spare =
      nullptr;  ///< shaped like the input, for a direct convolution that has to add to its gradient
};

struct ShardBuffers {
  std::vector<GroupBuffers> groups;
  float* pictures = nullptr;
  BlockedShape logits_shape;
  float* logits = nullptr;
  float* logits_gradient = nullptr;
};

/// Places all activations and gradients of a training step on one shard into `memory`. Group k runs forward
/// at time k and backward at time 2 G - k, the loss at time G. `picture_bytes`: of the normalised pictures in
/// the layout that their reader wants.
ShardBuffers plan_buffers(const Network& network, const std::vector<Group>& groups, int shard_size, int block,
                          std::size_t picture_bytes, MemoryPlan& memory);

}  // namespace whorl::nn::cpu
