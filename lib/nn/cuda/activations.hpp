// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "nn/buffer_plan.hpp"
#include "nn/cuda/groups.hpp"
#include "nn/cuda/kernels/types.hpp"

namespace whorl::nn::cuda {

/// Where a group finds and leaves its tensors on the GPU. Pointers of what it lacks, or does not write, are
/// null.
struct GroupBuffers {
  Extent input, output;
  void* x = nullptr;
  void* residual = nullptr;
  void* pooled = nullptr;  ///< after the group's max pooling; x where there is none
  std::uint8_t* argmax = nullptr;
  void* y = nullptr;
  void* y_gradient = nullptr;
  void* x_gradient = nullptr;
  void* residual_gradient = nullptr;
};

/// Places all activations and gradients of a training step on one shard; needs no GPU. Group k of G runs
/// forward at time k and backward at time 2 G - k, the loss at time G.
class Activations {
 public:
  Activations(const Network& network, const std::vector<Group>& groups, int images, Storage storage);

  /// Of the memory that holds all.
  std::size_t bytes() const { return plan_.bytes(); }
  /// What the tensors of one group take, shared or not.
  struct LayerBytes {
    std::string layer;  ///< the group's last
    std::size_t bytes = 0;
  };
  const std::vector<LayerBytes>& by_layer() const { return by_layer_; }

  /// `memory`: 256-byte aligned, on the GPU.
  std::vector<GroupBuffers> buffers(std::byte* memory) const;
  void* pictures(std::byte* memory) const { return address(memory, values_.front().buffer); }

 private:
  static constexpr int no_buffer = -1;
  /// The pictures or a group's output, and its gradient.
  struct Value {
    Extent extent;
    int buffer = no_buffer, gradient = no_buffer;
  };
  struct Parts {
    int pooled = no_buffer, argmax = no_buffer;
  };
  Extent extent_of(int layer) const;
  int last_use(int layer) const;
  void reserve_group(std::size_t k);
  const Value& value(int layer) const { return values_[static_cast<std::size_t>(layer + 1)]; }
  void* address(std::byte* memory, int buffer) const {
    return buffer == no_buffer ? nullptr : memory + plan_.offset(buffer);
  }
  int loss_time() const { return static_cast<int>(groups_.size()); }
  int backward_time(std::size_t k) const { return 2 * loss_time() - static_cast<int>(k); }

  const Network& network_;
  std::vector<Group> groups_;
  int images_;
  std::size_t element_bytes_;
  BufferPlan plan_;
  std::vector<Value> values_;  ///< by layer + 1
  std::vector<Parts> parts_;   ///< by group
  std::vector<LayerBytes> by_layer_;
};

}  // namespace whorl::nn::cuda
