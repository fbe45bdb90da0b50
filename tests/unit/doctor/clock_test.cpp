// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/clock.hpp"

#include <gtest/gtest.h>

#include "layouts.hpp"

namespace whorl::doctor {
namespace {

// Two 16-wide FMA a cycle at 3 GHz on a processor of nominally 2.5 GHz: 1.2 of nominal, 192 GFLOP/s.
const Clock healthy{.governor = "performance", .nominal = 2.5e9, .now = 3e9, .lanes = 16, .fma_rate = 6e9};

TEST(Clock, FiguresFollowFromTheRates) {
  EXPECT_EQ(healthy.fma_per_cycle(), 2);
  EXPECT_DOUBLE_EQ(healthy.speed(), 1.2);
  EXPECT_DOUBLE_EQ(healthy.flops(), 192e9);
}

TEST(Clock, AHealthyProcessorIsRight) {
  const std::vector<Finding> findings = judge_clock(one_node, {healthy, healthy});
  EXPECT_EQ(findings.at(0).level, Level::ok);
  EXPECT_NE(findings[0].text.find("1.20 of the nominal rate at 2.50 GHz"), std::string::npos)
      << findings[0].text;
}

TEST(Clock, AThrottledProcessorIsNamedWithItsGovernor) {
  Clock slow = healthy;
  slow.governor = "powersave";
  slow.now = 1.5e9;
  slow.fma_rate = 3e9;  // 0.6 of nominal
  const Finding finding = judge_clock(two_nodes, {healthy, healthy, healthy, slow}).at(0);
  EXPECT_EQ(finding.level, Level::warn);
  EXPECT_NE(finding.text.find("192 GFLOP/s a rank (median); slowest rank 3 (b): 96, its core at 0.60"),
            std::string::npos)
      << finding.text;
  EXPECT_NE(finding.remedy.find("throttled"), std::string::npos);
  EXPECT_NE(finding.remedy.find("\"powersave\""), std::string::npos);
}

TEST(Clock, ARankThatWaitsForItsCoreIsNamed) {
  Clock disturbed = healthy;
  disturbed.waiting = 0.25;
  const Finding finding = judge_clock(one_node, {disturbed, healthy}).at(0);
  EXPECT_EQ(finding.level, Level::warn);
  EXPECT_NE(finding.text.find("slowest rank 0 (a): 144"), std::string::npos) << finding.text;
  EXPECT_NE(finding.text.find("waits 25 % of the time"), std::string::npos) << finding.text;
  EXPECT_NE(finding.remedy.find("something else runs on its core"), std::string::npos);
}

TEST(Clock, WithoutANominalClockRanksAreCompared) {
  Clock unknown = healthy, slow = healthy;
  unknown.nominal = slow.nominal = 0;
  slow.fma_rate = 4.5e9;
  EXPECT_EQ(judge_clock(one_node, {unknown, unknown}).at(0).level, Level::ok);
  EXPECT_EQ(judge_clock(three_nodes, {unknown, slow, unknown}).at(0).level, Level::warn);
}

TEST(Clock, IsMeasuredHere) {
  const Clock clock = clock_of_this_rank();
  EXPECT_GT(clock.now, 1e8);
  EXPECT_GT(clock.fma_rate, 1e7);
  EXPECT_GE(clock.lanes, 1);
  EXPECT_GE(clock.waiting, 0);
}

}  // namespace
}  // namespace whorl::doctor
