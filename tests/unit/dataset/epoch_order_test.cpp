// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/epoch_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "base/error.hpp"

namespace whorl::dataset {
namespace {

std::vector<std::int64_t> whole_order(std::uint64_t seed, std::uint32_t epoch, std::int64_t count) {
  const EpochOrder order(seed, epoch, count);
  std::vector<std::int64_t> samples;
  for (std::int64_t position = 0; position < count; ++position) samples.push_back(order(position));
  return samples;
}

void expect_permutation(std::vector<std::int64_t> samples) {
  std::sort(samples.begin(), samples.end());
  std::vector<std::int64_t> identity(samples.size());
  std::iota(identity.begin(), identity.end(), 0);
  EXPECT_EQ(samples, identity) << samples.size() << " samples";
}

TEST(EpochOrder, IsAPermutationOfEverySmallCount) {
  for (std::int64_t count = 1; count <= 70; ++count)
    for (std::uint32_t epoch = 0; epoch < 5; ++epoch) expect_permutation(whole_order(11, epoch, count));
}

TEST(EpochOrder, IsAPermutationOfCifar) {
  expect_permutation(whole_order(1, 2, 50000));
}

TEST(EpochOrder, DependsOnSeedAndEpochOnly) {
  const auto order = whole_order(1, 2, 1000);
  EXPECT_EQ(order, whole_order(1, 2, 1000));
  for (const auto& other :
       {whole_order(2, 2, 1000), whole_order(1, 3, 1000), whole_order(1ULL << 32 | 1, 2, 1000)}) {
    int same = 0;
    for (std::size_t i = 0; i < order.size(); ++i) same += order[i] == other[i];
    EXPECT_LT(same, 10);  // one is expected of independent permutations; ten have a chance of 1e-7
  }
}

// Where one sample stands over many epochs: 40 equal bins, 200 hits expected in each. The statistic has 39
// degrees of freedom; above 80 lies a chance of 1e-4, and the keys are fixed, so that the test always gives
// the same.
TEST(EpochOrder, SpreadsASampleEvenly) {
  constexpr std::int64_t count = 1000;
  constexpr int bins = 40, epochs = 8000;
  std::vector<int> hits(bins);
  for (std::uint32_t epoch = 0; epoch < epochs; ++epoch)
    ++hits[EpochOrder(5, epoch, count)(123) * bins / count];
  double chi_squared = 0;
  constexpr double expected = double{epochs} / bins;
  for (const int hit : hits) chi_squared += (hit - expected) * (hit - expected) / expected;
  EXPECT_LT(chi_squared, 80);
}

// Neighbours in the file must not stay neighbours: a pair stands side by side with a chance of 2 / count.
TEST(EpochOrder, SeparatesNeighbours) {
  const auto order = whole_order(3, 0, 50000);
  int adjacent = 0;
  for (std::size_t i = 1; i < order.size(); ++i) adjacent += std::abs(order[i] - order[i - 1]) == 1;
  EXPECT_LT(adjacent, 12);
}

TEST(EpochOrder, ReachesBeyond32Bits) {
  constexpr std::int64_t count = (std::int64_t{1} << 40) + 5;
  const EpochOrder order(1, 0, count);
  std::int64_t largest = 0;
  for (std::int64_t position = 0; position < 1000; ++position) {
    const std::int64_t sample = order(position);
    ASSERT_GE(sample, 0);
    ASSERT_LT(sample, count);
    largest = std::max(largest, sample);
  }
  EXPECT_GT(largest, count / 100 * 98);
}

TEST(EpochOrder, RefusesPositionsOutside) {
  EXPECT_THROW(EpochOrder(1, 0, 10)(10), Error);
  EXPECT_THROW(EpochOrder(1, 0, 10)(-1), Error);
}

}  // namespace
}  // namespace whorl::dataset
