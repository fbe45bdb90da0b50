// SPDX-License-Identifier: BSD-3-Clause
#include "scale/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "base/error.hpp"
#include "support/thrown_message.hpp"

namespace whorl::scale {
namespace {

const NodeOfRank two_nodes{0, 0, 1, 1};
const Defaults defaults{.batch = 100, .all_reduce = "ring", .threads = 5};

TEST(Placement, PackedFillsANodeAndSpreadTakesThemInTurn) {
  EXPECT_EQ(place(two_nodes, 1, "packed"), (std::vector{0}));
  EXPECT_EQ(place(two_nodes, 2, "packed"), (std::vector{0, 1}));
  EXPECT_EQ(place(two_nodes, 3, "packed"), (std::vector{0, 1, 2}));
  EXPECT_EQ(place(two_nodes, 1, "spread"), (std::vector{0}));
  EXPECT_EQ(place(two_nodes, 2, "spread"), (std::vector{0, 2}));
  EXPECT_EQ(place(two_nodes, 3, "spread"), (std::vector{0, 1, 2}));
  EXPECT_EQ(count_nodes(two_nodes, {0, 1}), 1);
  EXPECT_EQ(count_nodes(two_nodes, {0, 2}), 2);
  // Ranks dealt out to nodes in turn, nodes of unequal size.
  const NodeOfRank in_turn{0, 1, 2, 0, 1, 0};
  EXPECT_EQ(place(in_turn, 3, "packed"), (std::vector{0, 3, 5}));
  EXPECT_EQ(place(in_turn, 4, "spread"), (std::vector{0, 1, 2, 3}));
  EXPECT_THROW(place(two_nodes, 5, "packed"), Error);
}

TEST(Placement, ANumberOfRanksGoesOnEachNodeInTurn) {
  const NodeOfRank nodes{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2};
  EXPECT_EQ(place(nodes, 2, "2"), (std::vector{0, 1}));
  EXPECT_EQ(place(nodes, 4, "2"), (std::vector{0, 1, 4, 5}));
  EXPECT_EQ(place(nodes, 7, "2"), (std::vector{0, 1, 2, 4, 5, 8, 9}));
  EXPECT_EQ(place(nodes, 7, "3"), (std::vector{0, 1, 2, 4, 5, 6, 8}));
  EXPECT_EQ(ranks_in_turn("spread"), 1);
  EXPECT_EQ(ranks_in_turn("12"), 12);
  for (const char* wrong : {"", "0", "-1", "2x", "Packed"})
    EXPECT_EQ(ranks_in_turn(wrong), std::nullopt) << wrong;
}

TEST(Plan, EveryPointOnceWithItsNodesAndBatch) {
  Study study;
  study.all_reduces = {"ring", "mpi"};
  const std::vector<Point> points = points_of(study, two_nodes, defaults);
  // ranks 1, 2 packed, 2 spread, 4; strong and weak; two algorithms
  EXPECT_EQ(points.size(), 16U);
  EXPECT_EQ(std::set<Point>(points.begin(), points.end()).size(), points.size());
  for (const Point& point : points) {
    EXPECT_EQ(point.batch, point.scaling == "weak" ? 100 * point.ranks : 100);
    EXPECT_EQ(point.threads, 5);
    EXPECT_EQ(point.nodes, point.ranks == 4 || point.placement == "spread" ? 2 : 1);
  }
}

TEST(Plan, TrainingIsTimedWithEveryNumberOfThreadsBatchAndAllReduce) {
  Study study;
  study.ranks = {2};
  study.threads = {1, 0, 2};
  study.batches = {10, 20};
  study.all_reduces = {"ring", "mpi"};
  study.scaling = {"weak"};
  std::set<std::tuple<int, std::int64_t, std::string>> factors;
  for (const Point& point : points_of(study, {0, 0}, defaults))
    factors.emplace(point.threads, point.batch, point.all_reduce);
  EXPECT_EQ(factors.size(), 3U * 2U * 2U);
  EXPECT_TRUE(factors.contains({5, 40, "mpi"}));
}

TEST(Plan, OnlyTrainingHasBatchesThreadsAndAllReduces) {
  Study study;
  study.workloads = {"ingest", "read-warm"};
  study.ranks = {1, 3};
  study.threads = {1, 2};
  study.batches = {10, 20};
  const std::vector<Point> points = points_of(study, {0, 0, 0, 0}, defaults);
  EXPECT_EQ(points.size(), 8U);  // two workloads, two numbers of ranks, strong and weak
  for (const Point& point : points) {
    EXPECT_EQ(point.all_reduce, "-");
    EXPECT_EQ(point.batch, 0);
    EXPECT_EQ(point.threads, 1);
  }
}

TEST(Plan, RanksGoUpInPowersOfTwoToAllOfThem) {
  const Study study;
  std::set<int> ranks;
  for (const Point& point : points_of(study, NodeOfRank(6, 0), defaults)) ranks.insert(point.ranks);
  EXPECT_EQ(ranks, (std::set{1, 2, 4, 6}));
}

TEST(Plan, MoreRanksThanThereAreIsAnError) {
  Study study;
  study.ranks = {2, 8};
  const std::string message =
      test::thrown_message<UsageError>([&] { points_of(study, two_nodes, defaults); });
  EXPECT_NE(message.find("mpirun -n 8"), std::string::npos) << message;
}

TEST(Plan, EachRepeatHasEveryPointInAnOrderOfItsOwn) {
  const std::vector<Point> points = points_of(Study{}, NodeOfRank(32, 0), defaults);
  const std::vector<Timing> timings = timings_of(points, 3, 9);
  ASSERT_EQ(timings.size(), 3 * points.size());
  std::vector<std::vector<Point>> orders(3);
  for (std::size_t i = 0; i < timings.size(); ++i) {
    EXPECT_EQ(timings[i].repeat, static_cast<int>(i / points.size()) + 1);
    orders[i / points.size()].push_back(timings[i].point);
  }
  EXPECT_NE(orders[0], orders[1]);
  EXPECT_NE(orders[1], orders[2]);
  for (const auto& order : orders)
    EXPECT_TRUE(std::is_permutation(order.begin(), order.end(), points.begin()));
  EXPECT_EQ(timings_of(points, 3, 9), timings);
  EXPECT_NE(timings_of(points, 3, 10), timings);
}

}  // namespace
}  // namespace whorl::scale
