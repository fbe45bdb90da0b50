// SPDX-License-Identifier: BSD-3-Clause
// The emulator's conversions of 16-bit types, all values of them.
#include <bit>
#include <limits>

#include "cuda_kernels/emulated_gpu.hpp"

namespace whorl::nn::cuda {
namespace {

/// The value of a number with so many bits of exponent and fraction, by the definition of IEEE 754.
double value_by_definition(std::uint16_t bits, int exponent_bits, int fraction_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1);
  const int fraction = bits & ((1 << fraction_bits) - 1);
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1)
    return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                         : sign * std::numeric_limits<double>::infinity();
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign * std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
}

template <typename T>
T rounded(float value) {
  T stored;
  from_float(value, stored);
  return stored;
}

template <typename T>
void check_all_values(int exponent_bits, int fraction_bits) {
  for (int bits = 0; bits < 1 << 16; ++bits) {
    const T value{static_cast<std::uint16_t>(bits)};
    const double expected = value_by_definition(value.bits, exponent_bits, fraction_bits);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(to_float(value))) << bits;
      ASSERT_TRUE(std::isnan(to_float(rounded<T>(to_float(value))))) << bits;
    } else {
      ASSERT_EQ(double{to_float(value)}, expected) << bits;
      ASSERT_EQ(rounded<T>(to_float(value)).bits, bits);
    }
  }
}

/// Between each value and the next larger in magnitude: the middle goes to the even one, everything else to
/// the nearer.
template <typename T>
void check_rounding(int infinity_bits, float infinity_stands_for) {
  for (int sign = 0; sign <= 0x8000; sign += 0x8000) {
    for (int bits = sign; bits < sign + infinity_bits; ++bits) {
      const float low = to_float(T{static_cast<std::uint16_t>(bits)});
      const float next = to_float(T{static_cast<std::uint16_t>(bits + 1)});
      const float high = std::isinf(next) ? std::copysign(infinity_stands_for, next) : next;
      const float middle = low / 2 + high / 2;
      ASSERT_EQ(rounded<T>(middle).bits, bits + bits % 2) << low << " " << high;
      ASSERT_EQ(rounded<T>(std::nextafter(middle, low)).bits, bits) << low << " " << high;
      ASSERT_EQ(rounded<T>(std::nextafter(middle, high)).bits, bits + 1) << low << " " << high;
    }
  }
}

TEST(Element, HalvesAreIeee) {
  check_all_values<Half>(5, 10);
  check_rounding<Half>(0x7c00, 65536);
  EXPECT_EQ(rounded<Half>(1e30F).bits, 0x7c00);
}

TEST(Element, BFloat16sAreTheUpperHalvesOfFloats) {
  check_all_values<BFloat16>(8, 7);
  check_rounding<BFloat16>(0x7f7f, 0);  // the last one rounds to infinity: no float stands for it
  EXPECT_EQ(rounded<BFloat16>(std::numeric_limits<float>::max()).bits, 0x7f80);
}

}  // namespace
}  // namespace whorl::nn::cuda
