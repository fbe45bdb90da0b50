// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "nn/groups.hpp"

namespace whorl::nn::cuda {

/// A group of layers and what its backward pass has to do. A gradient is written by the last group that reads
/// its layer, which runs backward first (its residual's before its input's); groups before it add to it.
struct Group : LayerGroup {
  int bias = none;  ///< layer whose bias is added: a convolution's own, unless the pointwise group that alone
                    ///< reads it adds it on the way
  bool trains = false;                 ///< has trained parameters, its bias included
  bool wants_output_gradient = false;  ///< has anything to do backward
  bool writes_input_gradient = false, writes_residual_gradient = false;
  bool adds_to_input_gradient = false, adds_to_residual_gradient = false;
};

/// Throws Error, naming the layer, for what the kernels do not compute: overlapping max pooling before other
/// pointwise layers.
std::vector<Group> group_layers(const Network& network);

/// The batch-norm of a pointwise group; null where there is none.
const BatchNorm* batch_norm_of(const Network& network, const LayerGroup& group);

}  // namespace whorl::nn::cuda
