// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/links.hpp"

#include <gtest/gtest.h>

#include "doctor/mpi_library.hpp"
#include "layouts.hpp"

namespace whorl::doctor {
namespace {

using Names = std::vector<std::string>;

PairTime pair(int first, int second, double microseconds, double gigabytes) {
  return {.first = first, .second = second, .latency = 1e-6 * microseconds, .bandwidth = 1e9 * gigabytes};
}

Links within(std::vector<PairTime> pairs, Names carriers = {}) {
  return {.times = {.pairs = std::move(pairs)},
          .carriers = {Names(), std::move(carriers)},
          .rdma_ports = {{}, {}}};
}

Links between(std::vector<PairTime> pairs, Names carriers, Names ports = {}) {
  return {.times = {.pairs = std::move(pairs), .rounds = 3, .all_rounds = 3},
          .carriers = {carriers, carriers, carriers},
          .rdma_ports = {ports, ports, ports}};
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(WithinNodes, SharedMemoryIsRight) {
  const Finding finding = judge_within(two_nodes, within({pair(0, 1, 0.5, 8), pair(2, 3, 0.6, 7)})).at(0);
  EXPECT_EQ(finding.level, Level::ok);
  EXPECT_TRUE(says(finding.text, "slowest rank 2 (b) and rank 3 (b): 0.6 us, 7.0 GB/s, by shared memory"))
      << finding.text;
  EXPECT_EQ(judge_within(three_nodes, within({})).at(0).level, Level::ok);
}

TEST(WithinNodes, ANetworkInsteadOfMemoryIsAWarning) {
  const Finding finding =
      judge_within(two_nodes, within({pair(0, 1, 0.5, 8), pair(2, 3, 9, 3)}, {"lo"})).at(0);
  EXPECT_EQ(finding.level, Level::warn);
  EXPECT_TRUE(says(finding.text, "carried by lo on b, not by shared memory")) << finding.text;
  EXPECT_TRUE(says(finding.remedy, "vader"));
}

TEST(WithinNodes, ASlowPairIsAWarning) {
  EXPECT_EQ(judge_within(two_nodes, within({pair(0, 1, 1, 0.9), pair(2, 3, 1, 0.9)})).at(0).level,
            Level::warn);
  const Finding finding =
      judge_within(two_nodes, within({pair(0, 1, 1, 8), pair(0, 2, 1, 8), pair(1, 2, 1, 3)})).at(0);
  EXPECT_EQ(finding.level, Level::warn);
}

TEST(WithinNodes, DamageFails) {
  PairTime broken = pair(2, 3, 0.5, 8);
  broken.intact = false;
  const Finding finding = judge_within(two_nodes, within({pair(0, 1, 0.5, 8), broken})).at(0);
  EXPECT_EQ(finding.level, Level::fail);
  EXPECT_EQ(finding.text, "messages are damaged between rank 2 (b) and rank 3 (b)");
  EXPECT_FALSE(finding.remedy.empty());
}

TEST(BetweenNodes, EvenLinksAreRight) {
  const std::vector<PairTime> even{pair(0, 1, 2, 10), pair(0, 2, 2, 10), pair(1, 2, 2, 9)};
  const Finding finding =
      judge_between(three_nodes, between(even, {"mlx5_0 port 1"}, {"mlx5_0 port 1"})).at(0);
  EXPECT_EQ(finding.level, Level::ok);
  EXPECT_TRUE(says(finding.text, "(median of 3 pairs); slowest rank 1 (b) and rank 2 (c)")) << finding.text;
  EXPECT_TRUE(says(finding.text, "carried by mlx5_0 port 1")) << finding.text;
  EXPECT_TRUE(says(judge_between(three_nodes, between(even, {})).at(0).text, "does not count"));
}

TEST(BetweenNodes, TcpBesideAnIdleRdmaPortIsAWarning) {
  const Finding finding =
      judge_between(three_nodes, between({pair(0, 1, 20, 1)}, {"ib0"}, {"mlx5_0 port 1"})).at(0);
  EXPECT_EQ(finding.level, Level::warn);
  EXPECT_TRUE(says(finding.text, "carried by ib0 although mlx5_0 port 1 is active")) << finding.text;
  EXPECT_TRUE(says(finding.remedy, "ucx"));
}

TEST(BetweenNodes, OneSlowLinkIsNamed) {
  const Finding finding =
      judge_between(three_nodes,
                    between({pair(0, 1, 20, 1), pair(0, 2, 20, 0.3), pair(1, 2, 20, 1)}, {"eth0"}))
          .at(0);
  EXPECT_EQ(finding.level, Level::warn);
  EXPECT_TRUE(says(finding.text, "slowest rank 0 (a) and rank 2 (c): 20.0 us, 300.0 MB/s")) << finding.text;
  EXPECT_TRUE(says(finding.remedy, "--exclude"));
}

TEST(BetweenNodes, AllSlowIsAWarningToo) {
  const Finding finding = judge_between(three_nodes, between({pair(0, 1, 100, 0.012)}, {"eth0"})).at(0);
  EXPECT_EQ(finding.level, Level::warn);
  EXPECT_TRUE(says(finding.remedy, "1 Gbit/s"));
}

TEST(BetweenNodes, DamageFails) {
  PairTime broken = pair(0, 2, 2, 10);
  broken.intact = false;
  EXPECT_EQ(judge_between(three_nodes, between({broken}, {"eth0"})).at(0).level, Level::fail);
}

TEST(BetweenNodes, RoundsThatWereLeftOutAreTold) {
  Links links = between({pair(0, 1, 20, 1)}, {"eth0"});
  links.times.rounds = 1;
  EXPECT_TRUE(says(judge_between(three_nodes, links).at(0).text, "time for 1 of 3 rounds of pairs"));
}

TEST(WallClocks, OnlyWhatIsCertainlyApartCounts) {
  const auto judged = [](double seconds, double uncertainty) {
    return judge_wall_clocks(three_nodes, {{0, 0}, {0.001, 0.0001}, {seconds, uncertainty}}).at(0);
  };
  EXPECT_EQ(judged(0.5, 0.001).level, Level::ok);
  EXPECT_EQ(judged(-1.5, 0.6).level, Level::ok);
  EXPECT_EQ(judged(-1.5, 0.001).level, Level::warn);
  EXPECT_EQ(judged(250, 0.001).level, Level::fail);
  EXPECT_TRUE(says(judged(-1.5, 0.001).text, "c is -1.500000 s from a")) << judged(-1.5, 0.001).text;
  EXPECT_EQ(judge_wall_clocks(one_node, {{0, 0}}).at(0).level, Level::ok);
}

TEST(MpiLibrary, DifferentLibrariesFail) {
  const MpiLibrary old{.version = "Open MPI v4.1.4", .thread_level = "serialized", .modules = {"pml ob1"}};
  MpiLibrary recent = old;
  recent.version = "Open MPI v5.0.3";
  EXPECT_EQ(judge_mpi_library(one_node, {old, old}).at(0).level, Level::ok);
  const Finding finding = judge_mpi_library(three_nodes, {old, old, recent}).at(0);
  EXPECT_EQ(finding.level, Level::fail);
  EXPECT_EQ(finding.text, "rank 0 (a) runs Open MPI v4.1.4, but rank 2 (c) runs Open MPI v5.0.3");
}

}  // namespace
}  // namespace whorl::doctor
