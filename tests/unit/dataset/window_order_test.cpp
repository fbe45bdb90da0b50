// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/window_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "base/error.hpp"

namespace whorl::dataset {
namespace {

std::vector<std::int64_t> whole_order(const WindowOrder& order, std::int64_t count) {
  std::vector<std::int64_t> samples;
  for (std::int64_t position = 0; position < count; ++position) samples.push_back(order(position));
  return samples;
}

TEST(WindowOrder, IsAPermutationWhateverIsDivisible) {
  for (const std::int64_t count : {1, 2, 7, 63, 64, 65, 100, 257})
    for (const std::int64_t block : {1, 3, 8, 64, 300})
      for (const std::int64_t blocks : {1, 2, 5, 400})
        for (std::uint32_t epoch = 0; epoch < 3; ++epoch) {
          auto samples = whole_order({4, epoch, count, {block, blocks}}, count);
          std::sort(samples.begin(), samples.end());
          std::vector<std::int64_t> identity(samples.size());
          std::iota(identity.begin(), identity.end(), 0);
          ASSERT_EQ(samples, identity)
              << count << " samples, blocks of " << block << ", " << blocks << " a window";
        }
}

TEST(WindowOrder, StaysWithinTheBlocksOfAWindow) {
  const std::int64_t count = 1003;
  const WindowOrder order(1, 2, count, {10, 4});
  EXPECT_EQ(order.windows(), 26);
  for (std::int64_t window = 0; window < order.windows(); ++window) {
    std::set<std::int64_t> expected, got;
    for (const Range& block : order.blocks(window))
      for (std::int64_t sample = block.begin; sample < block.end; ++sample) expected.insert(sample);
    for (std::int64_t p = window * 40; p < std::min<std::int64_t>((window + 1) * 40, count); ++p)
      got.insert(order(p));
    EXPECT_EQ(got, expected) << "window " << window;
  }
}

TEST(WindowOrder, ShufflesBlocksAndTheSamplesWithin) {
  const std::int64_t count = 10000;
  const auto order = whole_order({1, 2, count, {100, 10}}, count);
  int adjacent = 0, in_place = 0, same = 0, same_within = 0;
  const auto other = whole_order({1, 3, count, {100, 10}}, count);
  for (std::int64_t i = 0; i < count; ++i) {
    adjacent += i > 0 && std::abs(order[i] - order[i - 1]) == 1;
    in_place += order[i] / 100 == i / 100;
    same += order[i] == other[i];
    same_within += i >= 1000 && order[i] % 100 == order[i - 1000] % 100;
  }
  // Expected of random orders: 20, 100, 1, and 90; the keys are fixed.
  EXPECT_LT(adjacent, 50);
  EXPECT_LT(in_place, 400);
  EXPECT_LT(same, 20);
  EXPECT_LT(same_within, 200);
}

TEST(WindowOrder, NeedsNoTable) {
  const std::int64_t count = (std::int64_t{1} << 40) + 7;
  const WindowOrder order(1, 0, count, {1 << 16, 64});
  std::set<std::int64_t> blocks;
  for (std::int64_t position = count - 1000; position < count; ++position) {
    ASSERT_GE(order(position), 0);
    ASSERT_LT(order(position), count);
    blocks.insert(order(position) >> 16);
  }
  EXPECT_GT(blocks.size(), 1U);
}

TEST(WindowOrder, RefusesNonsense) {
  EXPECT_THROW(WindowOrder(1, 0, 10, {0, 4}), Error);
  EXPECT_THROW(WindowOrder(1, 0, 10, {4, 0}), Error);
  EXPECT_THROW(WindowOrder(1, 0, 10, {4, 4})(10), Error);
}

}  // namespace
}  // namespace whorl::dataset
