// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

// Numbers as 64-bit integers in units of a power of two: their sums are exact, so that neither the order of
// the terms nor who adds them matters. Rounding happens once when a term is converted and once when the sum
// is converted back.
namespace whorl::train {

/// Terms are of at most 2^51 units: what a double's mantissa rounds to an integer.
constexpr int fixed_point_bits = 51;

/// sums[i] += values[i] (`add`), or = values[i], in units of 2^-exponent, rounded to nearest; values[i] = 0.
/// False when a value is not finite or has more than `bits` <= fixed_point_bits bits: the sums are then
/// worthless.
bool move_to_fixed(std::span<float> values, int exponent, int bits, bool add, std::span<std::int64_t> sums);

/// values[i] = sums[i] units of 2^-exponent, rounded to nearest. Returns all magnitudes or-ed together: its
/// bit width is that of the largest.
std::uint64_t from_fixed(std::span<const std::int64_t> sums, int exponent, std::span<float> values);

}  // namespace whorl::train
