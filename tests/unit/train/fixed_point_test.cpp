// SPDX-License-Identifier: BSD-3-Clause
#include "train/fixed_point.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace whorl::train {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TEST(FixedPoint, RoundsEachTermToAUnitAndClearsIt) {
  const std::vector<float> terms = {0.0F, 1.0F, -1.0F, 0.3F, -0.3F, 0.1F, 0x1p-20F, 1000.25F};
  std::vector<std::int64_t> sums(terms.size(), 100);
  std::vector<float> values = terms;
  EXPECT_TRUE(move_to_fixed(values, 2, 51, true, sums));  // quarters
  EXPECT_EQ(sums, (std::vector<std::int64_t>{100, 104, 96, 101, 99, 100, 100, 4101}));
  EXPECT_EQ(values, std::vector<float>(values.size(), 0.0F));
  values = terms;
  EXPECT_TRUE(move_to_fixed(values, 2, 51, false, sums));
  EXPECT_EQ(sums, (std::vector<std::int64_t>{0, 4, -4, 1, -1, 0, 0, 4001}));
  EXPECT_EQ(values, std::vector<float>(values.size(), 0.0F));
}

TEST(FixedPoint, KeepsEveryBitThatAFloatHas) {
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) values.push_back(std::sin(static_cast<float>(i)) * (i % 2 == 0 ? 1 : 100));
  std::vector<float> rest = values, back(values.size());
  std::vector<std::int64_t> sums(values.size());
  EXPECT_TRUE(move_to_fixed(rest, 40, 51, true, sums));
  from_fixed(sums, 40, back);
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(back[i], std::abs(values[i]) > 1e-4F ? values[i] : back[i]) << i;
}

TEST(FixedPoint, TellsTheMagnitudeOfTheLargestSum) {
  std::vector<float> values(4);
  EXPECT_EQ(from_fixed(std::vector<std::int64_t>{0, 0, 0, 0}, 3, values), 0U);
  EXPECT_EQ(std::bit_width(from_fixed(std::vector<std::int64_t>{3, -1025, 64, 0}, 3, values)), 11);
  EXPECT_EQ(values, (std::vector<float>{0.375F, -128.125F, 8.0F, 0.0F}));
}

TEST(FixedPoint, RefusesWhatDoesNotFit) {
  const auto fits = [](float value, int exponent, int bits) {
    std::vector<float> values(37, 1.0F);
    values[35] = value;
    std::vector<std::int64_t> sums(values.size());
    return move_to_fixed(values, exponent, bits, true, sums);
  };
  EXPECT_TRUE(fits(1024.0F, 0, 10));
  EXPECT_FALSE(fits(1024.5F, 0, 10));
  EXPECT_FALSE(fits(-1024.5F, 0, 10));
  EXPECT_TRUE(fits(-0x1p51F, 0, 51));
  EXPECT_FALSE(fits(0x1p31F, 21, 51));
  for (const float value : {infinity, -infinity, nan, -nan}) EXPECT_FALSE(fits(value, 0, 51)) << value;
}

}  // namespace
}  // namespace whorl::train
