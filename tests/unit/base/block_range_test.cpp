// SPDX-License-Identifier: BSD-3-Clause
#include "base/block_range.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "base/error.hpp"

namespace whorl {
namespace {

TEST(block_range, gives_the_larger_parts_first) {
  EXPECT_EQ(block_range(11, 4, 0), (Range{0, 3}));
  EXPECT_EQ(block_range(11, 4, 1), (Range{3, 6}));
  EXPECT_EQ(block_range(11, 4, 2), (Range{6, 9}));
  EXPECT_EQ(block_range(11, 4, 3), (Range{9, 11}));
}

TEST(block_range, covers_everything_once_for_any_count_and_parts) {
  for (std::int64_t count = 0; count < 40; ++count) {
    for (int parts = 1; parts < 12; ++parts) {
      std::int64_t next = 0;
      for (int index = 0; index < parts; ++index) {
        const Range range = block_range(count, parts, index);
        EXPECT_EQ(range.begin, next);
        EXPECT_TRUE(range.size() == count / parts || range.size() == count / parts + 1);
        next = range.end;
      }
      EXPECT_EQ(next, count);
    }
  }
}

TEST(block_range, gives_empty_parts_when_there_are_more_parts_than_items) {
  EXPECT_EQ(block_range(2, 3, 1), (Range{1, 2}));
  EXPECT_EQ(block_range(2, 3, 2), (Range{2, 2}));
}

TEST(block_range, handles_counts_beyond_32_bits) {
  EXPECT_EQ(block_range(10'000'000'001, 2, 1), (Range{5'000'000'001, 10'000'000'001}));
}

TEST(block_range, refuses_parts_that_do_not_exist) {
  EXPECT_THROW(block_range(10, 3, 3), Error);
  EXPECT_THROW(block_range(10, 3, -1), Error);
  EXPECT_THROW(block_range(10, 0, 0), Error);
  EXPECT_THROW(block_range(-1, 2, 0), Error);
}

TEST(balanced_ranges, cuts_where_the_running_sum_reaches_the_share) {
  const std::vector<std::int64_t> weights{1, 1, 1, 1, 4, 2, 2};  // total 12, shares at 4 and 8
  EXPECT_EQ(balanced_ranges(weights, 3), (std::vector<Range>{{0, 4}, {4, 5}, {5, 7}}));
}

TEST(balanced_ranges, leaves_parts_empty_beside_one_heavy_item) {
  const std::vector<std::int64_t> weights{1, 100, 1};
  EXPECT_EQ(balanced_ranges(weights, 4), (std::vector<Range>{{0, 2}, {2, 2}, {2, 2}, {2, 3}}));
}

TEST(balanced_ranges, covers_items_without_weight_and_empty_lists) {
  EXPECT_EQ(balanced_ranges(std::vector<std::int64_t>{0, 0, 0}, 2), (std::vector<Range>{{0, 0}, {0, 3}}));
  EXPECT_EQ(balanced_ranges(std::vector<std::int64_t>{3, 3, 0}, 2), (std::vector<Range>{{0, 1}, {1, 3}}));
  EXPECT_EQ(balanced_ranges({}, 2), (std::vector<Range>{{0, 0}, {0, 0}}));
}

TEST(balanced_ranges, no_part_exceeds_its_share_by_more_than_one_item) {
  std::vector<std::int64_t> weights(101);
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<std::int64_t>(i * 37 % 101) * 1'000'000'000'000;
  const std::int64_t total = std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
  std::int64_t next = 0;
  for (const Range& range : balanced_ranges(weights, 7)) {
    EXPECT_EQ(range.begin, next);
    next = range.end;
    const auto begin = weights.begin() + range.begin;
    const std::int64_t sum = std::accumulate(begin, begin + range.size(), std::int64_t{0});
    EXPECT_LE(sum, total / 7 + 100'000'000'000'000);
    EXPECT_GE(sum, total / 7 - 100'000'000'000'000);
  }
  EXPECT_EQ(next, 101);
}

TEST(balanced_ranges, refuses_negative_weights) {
  EXPECT_THROW(balanced_ranges(std::vector<std::int64_t>{3, -1}, 2), Error);
  EXPECT_THROW(balanced_ranges(std::vector<std::int64_t>{3}, 0), Error);
}

}  // namespace
}  // namespace whorl
