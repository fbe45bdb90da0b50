// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/algorithm.hpp"

#include <fmt/format.h>

namespace whorl::nn::cpu {

std::string to_string(const Algorithm& algorithm) {
  const auto& [forward, backward] = algorithm.tiles;
  if (algorithm.is_direct()) return "direct";
  return forward == backward ? fmt::format("winograd{}", forward)
                             : fmt::format("winograd{}/{}", forward, backward);
}

std::optional<Algorithm> algorithm_named(std::string_view name) {
  if (name == to_string(Algorithm())) return Algorithm();
  for (const int forward : winograd::tile_sizes)
    for (const int backward : winograd::tile_sizes)
      if (const Algorithm algorithm{{forward, backward}}; name == to_string(algorithm)) return algorithm;
  return std::nullopt;
}

}  // namespace whorl::nn::cpu
