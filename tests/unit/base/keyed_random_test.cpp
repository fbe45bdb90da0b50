// SPDX-License-Identifier: BSD-3-Clause
#include "base/keyed_random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <vector>

namespace whorl {
namespace {

using Words = std::array<std::uint32_t, 4>;

// kat_vectors of Random123, the authors' library.
TEST(philox, gives_the_published_vectors) {
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32_10({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

std::vector<std::uint32_t> first_numbers(std::uint64_t seed, RandomPurpose purpose, std::uint32_t epoch,
                                         std::uint64_t sample) {
  KeyedRandom random(seed, purpose, epoch, sample);
  std::vector<std::uint32_t> numbers(11);  // more than two blocks
  for (std::uint32_t& number : numbers) number = random.next_u32();
  return numbers;
}

TEST(keyed_random, is_a_function_of_its_key_alone) {
  EXPECT_EQ(first_numbers(7, RandomPurpose::test, 2, 3), first_numbers(7, RandomPurpose::test, 2, 3));
}

TEST(keyed_random, draws_other_numbers_when_any_part_of_the_key_changes) {
  constexpr std::uint64_t high = std::uint64_t{1} << 32;
  const std::vector<std::vector<std::uint32_t>> streams{
      first_numbers(7, RandomPurpose::test, 2, 3),        first_numbers(8, RandomPurpose::test, 2, 3),
      first_numbers(7 + high, RandomPurpose::test, 2, 3), first_numbers(7, RandomPurpose::order, 2, 3),
      first_numbers(7, RandomPurpose::test, 3, 3),        first_numbers(7, RandomPurpose::test, 2, 4),
      first_numbers(7, RandomPurpose::test, 2, 3 + high), first_numbers(7, RandomPurpose::test, 3, 2)};
  std::set<std::uint32_t> all;
  for (const auto& stream : streams) all.insert(stream.begin(), stream.end());
  EXPECT_EQ(all.size(), streams.size() * 11) << "two streams share numbers";
}

TEST(keyed_random, uniform_fills_the_unit_interval) {
  KeyedRandom random(1, RandomPurpose::test, 0, 0);
  double sum = 0;
  double squares = 0;
  constexpr int count = 100'000;
  for (int i = 0; i < count; ++i) {
    const float value = random.uniform();
    ASSERT_GE(value, 0.0F);
    ASSERT_LT(value, 1.0F);
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / count, 0.5, 0.005);  // five standard errors
  EXPECT_NEAR(squares / count, 1.0 / 3, 0.005);
}

TEST(keyed_random, uniform_keeps_to_its_bounds) {
  KeyedRandom random(1, RandomPurpose::test, 0, 0);
  float low = 10;
  float high = -10;
  for (int i = 0; i < 10'000; ++i) {
    const float value = random.uniform(-3.0F, 5.0F);
    low = std::min(low, value);
    high = std::max(high, value);
  }
  EXPECT_GE(low, -3.0F);
  EXPECT_LT(low, -2.98F);
  EXPECT_LT(high, 5.0F);
  EXPECT_GT(high, 4.98F);
}

TEST(keyed_random, below_reaches_every_value_equally_often) {
  KeyedRandom random(5, RandomPurpose::test, 0, 0);
  std::map<std::uint32_t, int> counts;
  for (int i = 0; i < 70'000; ++i) ++counts[random.below(7)];
  ASSERT_EQ(counts.size(), 7U);
  EXPECT_EQ(counts.rbegin()->first, 6U);
  for (const auto& [value, count] : counts) EXPECT_NEAR(count, 10'000, 500) << value;
}

// 2^32 numbers onto 3 * 2^30 values: without drawing again, every third value would be twice as likely.
TEST(keyed_random, below_has_no_bias_at_large_bounds) {
  KeyedRandom random(5, RandomPurpose::test, 0, 0);
  constexpr std::uint32_t bound = 3U << 30;
  int thirds[3] = {0, 0, 0};
  int multiples = 0;
  for (int i = 0; i < 30'000; ++i) {
    const std::uint32_t value = random.below(bound);
    ++thirds[value >> 30];
    multiples += value % 3 == 0;
  }
  for (const int count : thirds) EXPECT_NEAR(count, 10'000, 400);
  EXPECT_NEAR(multiples, 10'000, 400);
}

TEST(keyed_random, below_one_is_zero) {
  EXPECT_EQ(KeyedRandom(1, RandomPurpose::test, 0, 0).below(1), 0U);
}

TEST(keyed_random, normal_has_the_moments_of_the_normal_distribution) {
  KeyedRandom random(3, RandomPurpose::test, 0, 0);
  constexpr int count = 100'000;
  double moments[4] = {0, 0, 0, 0};
  for (int i = 0; i < count; ++i) {
    const double value = random.normal();
    ASSERT_TRUE(std::isfinite(value));
    double power = 1;
    for (double& moment : moments) moment += power *= value;
  }
  EXPECT_NEAR(moments[0] / count, 0, 0.016);
  EXPECT_NEAR(moments[1] / count, 1, 0.023);
  EXPECT_NEAR(moments[2] / count, 0, 0.07);
  EXPECT_NEAR(moments[3] / count, 3, 0.16);
}

TEST(keyed_random, coin_is_fair) {
  KeyedRandom random(9, RandomPurpose::test, 0, 0);
  int heads = 0;
  for (int i = 0; i < 10'000; ++i) heads += random.coin();
  EXPECT_NEAR(heads, 5'000, 250);
}

}  // namespace
}  // namespace whorl
