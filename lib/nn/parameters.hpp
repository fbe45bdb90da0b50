// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "nn/layer.hpp"

namespace whorl::nn {

enum class Role { conv_weight, linear_weight, bias, bn_scale, bn_shift, running_mean, running_variance };
const char* to_string(Role role);

/// One tensor of the parameter arena.
struct Tensor {
  std::string name;  ///< "conv1.weight"
  Role role = Role::conv_weight;
  int layer = 0;           ///< index into Network::layers
  std::vector<int> shape;  ///< conv (O, I, K, K), linear (O, I), else (C)
  std::size_t offset = 0;  ///< floats from the arena's start, a multiple of 16
  std::size_t count = 0;
  bool frozen = false;  ///< its gradient is not computed and stays zero
};

/// Where every tensor lies in the float32 arenas that hold all parameters, or all gradients, of a network.
/// Tensors are laid last layer first, so that during a backward pass the finished gradients are one growing
/// prefix [0, end). Gaps are zero.
///
/// Running statistics are tensors too: in a gradient arena their slots hold the *sum over shards* of the
/// shard's mean and unbiased variance, so that one all-reduce carries everything a step has to share.
class ParameterLayout {
 public:
  ParameterLayout() = default;
  /// `input` is the shape of the picture, network_input.
  ParameterLayout(const std::vector<Layer>& layers, Shape input);
  /// In the order of their offsets: last layer first.
  const std::vector<Tensor>& tensors() const { return tensors_; }
  /// Floats in an arena, a multiple of 16.
  std::size_t size() const { return size_; }
  /// Null when the layer has no tensor of this role.
  const Tensor* find(int layer, Role role) const;
  /// Where the slots of layers >= `layer` end: gradients [0, end) are final once `layer`'s backward pass is
  /// done.
  std::size_t end_of(int layer) const;

 private:
  std::vector<Tensor> tensors_;
  std::vector<std::size_t> ends_;
  std::size_t size_ = 0;
};

}  // namespace whorl::nn
