// SPDX-License-Identifier: BSD-3-Clause
#include "collective/values.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace whorl::collective {
namespace {

template <typename T>
class AddOf : public testing::Test {};
using Elements = testing::Types<float, std::int64_t>;
TYPED_TEST_SUITE(AddOf, Elements);

TYPED_TEST(AddOf, AddsExactlyTheSpanAtAnyLengthAndAlignment) {
  for (std::size_t offset = 0; offset < 5; ++offset) {
    for (std::size_t count = 0; count < 70; ++count) {
      std::vector<TypeParam> into(80), from(80);
      for (std::size_t i = 0; i < into.size(); ++i) {
        into[i] = static_cast<TypeParam>(i);
        from[i] = static_cast<TypeParam>(1000 + 3 * i);
      }
      add(std::span(into).subspan(offset, count), std::span(from).subspan(2 * offset, count));
      for (std::size_t i = 0; i < into.size(); ++i) {
        const bool inside = i >= offset && i < offset + count;
        const std::size_t expected = inside ? i + 1000 + 3 * (i + offset) : i;
        ASSERT_EQ(into[i], static_cast<TypeParam>(expected))
            << "element " << i << ", offset " << offset << ", count " << count;
      }
    }
  }
}

TEST(AddOfIntegers, CarriesThroughAll64BitsAndWrapsAround) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t> into{0xffffffff, -5, most}, from{1, 3, 1};
  add(std::span(into), std::span(from));
  EXPECT_EQ(into,
            (std::vector<std::int64_t>{std::int64_t{1} << 32, -2, std::numeric_limits<std::int64_t>::min()}));
}

TEST(Values, PartsAreContiguousAndCoverAll) {
  std::vector<std::int64_t> data(11);
  const Values all{std::span(data)};
  EXPECT_EQ(all.size_bytes(), 88U);
  EXPECT_EQ(all.part(3, 1).size(), 4U);
  EXPECT_EQ(all.part(3, 2).size(), 3U);
  EXPECT_EQ(all.part(3, 2).data(), reinterpret_cast<std::byte*>(&data[8]));
  EXPECT_EQ(all.subspan(2, 5).bytes().data(), reinterpret_cast<std::byte*>(&data[2]));
  EXPECT_EQ(all.subspan(2, 5).bytes().size(), 40U);
}

}  // namespace
}  // namespace whorl::collective
