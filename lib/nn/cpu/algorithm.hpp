// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "nn/cpu/winograd/tiling.hpp"

namespace whorl::nn::cpu {

/// How a convolution is computed: directly by oneDNN, or by our Winograd F(m x m, 3 x 3).
struct Algorithm {
  winograd::TileSizes tiles;  ///< zeros: direct

  bool is_direct() const { return tiles == winograd::TileSizes{}; }
};

/// "direct", "winograd4" or, with other tiles in the backward than in the forward pass, "winograd4/6".
std::string to_string(const Algorithm& algorithm);
/// Nothing if `name` names none.
std::optional<Algorithm> algorithm_named(std::string_view name);

}  // namespace whorl::nn::cpu
