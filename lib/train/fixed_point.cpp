// SPDX-License-Identifier: BSD-3-Clause
#include "train/fixed_point.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

#include "base/simd.hpp"

namespace whorl::train {
namespace {

constexpr std::uint32_t magnitude_mask = 0x7fffffff;

/// Returns the largest magnitude as the bits of a float, which have the order of the numbers; those of
/// infinity and NaN are larger than all others.
template <bool add>
[[gnu::always_inline]] inline std::uint32_t move_all(float* values, double scale, std::int64_t* sums,
                                                     std::size_t count) {
  // A double of this size has no bits behind the point: adding it rounds, and leaves the integer in the
  // mantissa. (Conversion to 64 bits needs AVX-512DQ.)
  constexpr double shift = 0x1.8p52;
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(values[i]) & magnitude_mask);
    const double shifted = static_cast<double>(values[i]) * scale + shift;
    // Unsigned, since of values that are too large, whose sums are worthless, it overflows.
    const std::uint64_t term = std::bit_cast<std::uint64_t>(shifted) - std::bit_cast<std::uint64_t>(shift);
    sums[i] = static_cast<std::int64_t>(add ? static_cast<std::uint64_t>(sums[i]) + term : term);
    values[i] = 0;
  }
  return largest;
}

WHORL_SIMD_CLONES
std::uint32_t add_all(float* values, double scale, std::int64_t* sums, std::size_t count) {
  return move_all<true>(values, scale, sums, count);
}

WHORL_SIMD_CLONES
std::uint32_t set_all(float* values, double scale, std::int64_t* sums, std::size_t count) {
  return move_all<false>(values, scale, sums, count);
}

WHORL_SIMD_CLONES
std::uint64_t copy_all(const std::int64_t* sums, double unit, float* values, std::size_t count) {
  std::uint64_t magnitudes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits = static_cast<std::uint64_t>(sums[i]);
    magnitudes |= sums[i] < 0 ? 0 - bits : bits;
    values[i] = static_cast<float>(static_cast<double>(sums[i]) * unit);
  }
  return magnitudes;
}

}  // namespace

bool move_to_fixed(std::span<float> values, int exponent, int bits, bool add, std::span<std::int64_t> sums) {
  const auto move = add ? add_all : set_all;
  const std::uint32_t largest = move(values.data(), std::ldexp(1.0, exponent), sums.data(), values.size());
  return static_cast<double>(std::bit_cast<float>(largest)) <= std::ldexp(1.0, bits - exponent);
}

std::uint64_t from_fixed(std::span<const std::int64_t> sums, int exponent, std::span<float> values) {
  return copy_all(sums.data(), std::ldexp(1.0, -exponent), values.data(), sums.size());
}

}  // namespace whorl::train
