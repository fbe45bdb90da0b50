// SPDX-License-Identifier: BSD-3-Clause
#include "collective/packed.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

#include "base/error.hpp"

namespace whorl::collective {
namespace {

using Numbers = std::vector<std::int64_t>;

constexpr std::int64_t beyond(int bytes) {
  return std::int64_t{1} << (8 * bytes - 1);
}

TEST(Packed, WidthIsThatOfTheLargestInEitherDirection) {
  EXPECT_EQ(packed_width(Numbers{0, 1, -1}), 5U);
  for (const int bytes : {5, 6, 7}) {
    const auto width = static_cast<std::size_t>(bytes);
    EXPECT_EQ(packed_width(Numbers{0, beyond(bytes) - 1, 3}), width);
    EXPECT_EQ(packed_width(Numbers{0, -beyond(bytes), 3}), width);
    EXPECT_EQ(packed_width(Numbers{0, beyond(bytes), 3}), width + 1);
    EXPECT_EQ(packed_width(Numbers{0, -beyond(bytes) - 1, 3}), width + 1);
  }
  EXPECT_EQ(packed_width(Numbers{std::numeric_limits<std::int64_t>::min()}), 8U);
  EXPECT_EQ(packed_width({}), 8U);
}

TEST(Packed, ComesBackAsItWasOrIsAddedAndNothingElseIsTouched) {
  std::mt19937_64 random(7);
  for (const int bytes : {5, 6, 7, 8}) {
    for (std::size_t count = 0; count < 70; ++count) {
      Numbers values(count);
      for (std::int64_t& value : values) value = static_cast<std::int64_t>(random()) >> (64 - 8 * bytes);
      const auto width = static_cast<std::size_t>(bytes);
      std::vector<std::byte> buffer(8 * count);
      EXPECT_EQ(pack(values, width, buffer).size(), count * width);

      Numbers into(count + 2, 77), expected = into;
      std::copy(values.begin(), values.end(), expected.begin() + 1);
      unpack(buffer, width, std::span(into).subspan(1, count), Arrival::store);
      EXPECT_EQ(into, expected);
      for (std::size_t i = 0; i < count; ++i)  // sums wrap around
        expected[i + 1] = static_cast<std::int64_t>(2 * static_cast<std::uint64_t>(values[i]));
      unpack(buffer, width, std::span(into).subspan(1, count), Arrival::add);
      EXPECT_EQ(into, expected);
    }
  }
}

TEST(Packed, OtherWidthsAreErrors) {
  Numbers one{1};
  std::vector<std::byte> buffer(8);
  EXPECT_THROW(unpack(buffer, 4, one, Arrival::store), Error);
  EXPECT_THROW(unpack(buffer, 9, one, Arrival::store), Error);
}

}  // namespace
}  // namespace whorl::collective
