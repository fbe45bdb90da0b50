// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/rank_order.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/error.hpp"

namespace whorl::dataset {
namespace {

constexpr WindowOrder::Shape small_window{.block = 4, .blocks_a_window = 3};

/// The samples of an epoch, rank after rank.
std::vector<std::int64_t> epoch_of_all(Order order, std::int64_t count, int ranks, int epoch) {
  std::vector<std::int64_t> samples;
  for (int rank = 0; rank < ranks; ++rank) {
    RankOrder mine({order, 7, small_window}, count, ranks, rank);
    for (std::int64_t i = 0; i < epoch * mine.per_epoch(); ++i) mine.next();
    for (std::int64_t i = 0; i < mine.per_epoch(); ++i) samples.push_back(mine.next());
  }
  return samples;
}

TEST(RankOrder, GivesEverySampleOnceAnEpoch) {
  for (const Order order : {Order::sequential, Order::shuffled, Order::window})
    for (const std::int64_t count : {1, 2, 3, 12, 47, 100})
      for (int ranks = 1; ranks <= 7; ++ranks)
        for (int epoch = 0; epoch < 3; ++epoch) {
          const auto samples = epoch_of_all(order, count, ranks, epoch);
          const std::set<std::int64_t> different(samples.begin(), samples.end());
          ASSERT_EQ(std::ssize(samples), count);
          ASSERT_EQ(std::ssize(different), count) << to_string(order) << ", " << ranks << " ranks";
          ASSERT_EQ(*different.begin(), 0);
          ASSERT_EQ(*different.rbegin(), count - 1);
        }
}

TEST(RankOrder, IsTheSameEpochForAnyNumberOfRanks) {
  for (const Order order : {Order::sequential, Order::shuffled, Order::window}) {
    const auto alone = epoch_of_all(order, 47, 1, 2);
    for (int ranks = 2; ranks <= 5; ++ranks) EXPECT_EQ(epoch_of_all(order, 47, ranks, 2), alone);
  }
}

TEST(RankOrder, ShufflesEachEpochAnew) {
  for (const Order order : {Order::shuffled, Order::window}) {
    const auto first = epoch_of_all(order, 100, 1, 0), second = epoch_of_all(order, 100, 1, 1);
    int same = 0;
    for (std::size_t i = 0; i < first.size(); ++i) same += first[i] == second[i];
    EXPECT_LT(same, 20) << to_string(order);
  }
}

TEST(RankOrder, AnnouncesSamplesBeforeTheyAreRead) {
  for (int ranks = 1; ranks <= 3; ++ranks)
    for (int rank = 0; rank < ranks; ++rank) {
      std::set<std::int64_t> announced;
      RankOrder order({Order::window, 7, small_window}, 100, ranks, rank, [&](Range block) {
        for (std::int64_t sample = block.begin; sample < block.end; ++sample) announced.insert(sample);
      });
      for (int epoch = 0; epoch < 2; ++epoch) {
        announced.clear();
        for (std::int64_t i = 0; i < order.per_epoch(); ++i) {
          EXPECT_TRUE(announced.contains(order.next()));
          EXPECT_LE(std::ssize(announced), i + 12 + 24);  // the window read from, and the one after
        }
        EXPECT_LE(std::ssize(announced), order.per_epoch() + 24);
      }
    }
}

TEST(RankOrder, HasNothingForARankTooMany) {
  RankOrder order({}, 2, 3, 2);
  EXPECT_EQ(order.per_epoch(), 0);
  EXPECT_THROW(order.next(), Error);
}

}  // namespace
}  // namespace whorl::dataset
