// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "nn/network.hpp"

namespace whorl::nn::cpu {

/// How a convolution is computed: directly by oneDNN, or by our Winograd F(3x3, 3x3) or F(4x4, 3x3).
enum class Algorithm { direct, winograd3, winograd4 };
const char* to_string(Algorithm algorithm);

/// Layers that the executor runs as one: a convolution (or linear layer), an average pooling, or a
/// *pointwise* group
///     max pooling -> batch-norm or scale -> sum with a second input -> activation
/// of which any part may be missing. Members are layer indices, `none` where the part is missing; inputs are
/// layer indices or network_input.
struct Group {
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

  Algorithm algorithm = Algorithm::direct;  ///< of a convolution
  /// Of a pointwise group: the group of the Winograd convolution before it, which hands it planes to pool and
  /// to take statistics of as it finishes them, and of the one behind it, which asks for planes of the output
  /// as it needs them: neither tensor is stored then.
  int producer = none, consumer = none;
};

/// The network's groups in an order in which each finds its inputs ready. Throws Error for a layer other than
/// the last whose output is unused.
std::vector<Group> group_layers(const Network& network);

/// The pointwise group that alone reads the output of group `k` and does more than pooling; none if there is
/// none.
int only_pointwise_reader(const Network& network, const std::vector<Group>& groups, int k);
/// Sets producer and consumer by the algorithms of the convolutions.
void link_to_convolutions(const Network& network, std::vector<Group>& groups);

/// A layer's, or network_input's, shape.
Shape shape_of(const Network& network, int layer);

}  // namespace whorl::nn::cpu
