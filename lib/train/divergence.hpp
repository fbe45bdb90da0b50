// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string>

#include "nn/network.hpp"

namespace whorl::train {

/// Where the passes over one shard first came to a value that is not a number: "the forward pass, in conv2_bn
/// or before it", "the backward pass, in fc"; empty where loss and gradients are finite. `gradients` is that
/// shard's arena, whose statistics tell what the forward pass saw.
std::string where_not_finite(const nn::Network& network, double loss, std::span<const float> gradients);

}  // namespace whorl::train
