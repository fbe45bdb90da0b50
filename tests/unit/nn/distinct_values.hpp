// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "base/keyed_random.hpp"

namespace whorl::nn {

/// Shuffled multiples of `spacing` around, but never at, zero: no two within `spacing` of each other, so that
/// a small finite-difference step crosses no kink of ReLU or max pooling.
inline std::vector<double> distinct_values(std::size_t count, std::uint64_t stream, double spacing = 0.03) {
  std::vector<double> values(count);
  const auto half = static_cast<std::ptrdiff_t>(count / 2);
  std::iota(values.begin(), values.end(), 0.5 - static_cast<double>(half));
  KeyedRandom random(1, RandomPurpose::test, 0, stream);
  for (std::size_t i = count; i > 1; --i) {
    std::swap(values[i - 1], values[random.below(static_cast<std::uint32_t>(i))]);
  }
  for (double& value : values) value *= spacing;
  return values;
}

}  // namespace whorl::nn
