// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <vector>

#include "nn/network.hpp"

namespace whorl::nn {

/// Layers that a backend runs as one: a convolution (or linear layer), an average pooling, or a
/// *pointwise* group
///     max pooling -> batch-norm or scale -> sum with a second input -> activation
/// of which any part may be missing. Members are layer indices, `none` where the part is missing; inputs are
/// layer indices or network_input.
struct LayerGroup {
  static constexpr int none = -2;
  enum class Kind { convolution, average_pool, pointwise };

  Kind kind = Kind::pointwise;
  int layer = none;  ///< the convolution, linear layer or average pooling
  int pool = none, norm = none, sum = none, activation = none;
  int input = network_input;
  int residual = none;          ///< the second input of the sum
  int output = none;            ///< the last of the group's layers
  bool needs_gradient = false;  ///< the group or something before it is trained
  bool input_needs_gradient = false;
  bool residual_needs_gradient = false;
};

/// The network's groups in an order in which each finds its inputs ready. Throws Error for a layer other than
/// the last whose output is unused.
std::vector<LayerGroup> layer_groups(const Network& network);

/// How often the output of `layer` is read.
std::ptrdiff_t count_readers(const Network& network, int layer);
/// A layer's, or network_input's, shape.
Shape shape_of(const Network& network, int layer);

}  // namespace whorl::nn
