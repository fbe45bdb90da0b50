// SPDX-License-Identifier: BSD-3-Clause
#include "train/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/thrown_message.hpp"

namespace whorl::train {
namespace {

using ::testing::HasSubstr;

TEST(Schedule, Constant) {
  const Schedule schedule({.kind = "constant"}, 10, 5);
  EXPECT_EQ(schedule.factor(0), 1.0);
  EXPECT_EQ(schedule.factor(9), 1.0);
}

TEST(Schedule, LinearReachesItsEndAfterTheLastStep) {
  const Schedule to_zero({.kind = "linear"}, 8, 4);
  EXPECT_EQ(to_zero.factor(0), 1.0);
  EXPECT_EQ(to_zero.factor(2), 0.75);
  EXPECT_EQ(to_zero.factor(7), 0.125);
  EXPECT_EQ(to_zero.factor(8), 0.0);
  EXPECT_EQ(to_zero.factor(9), 0.0);
  const Schedule to_quarter({.kind = "linear", .final_factor = 0.25}, 8, 4);
  EXPECT_EQ(to_quarter.factor(4), 0.625);
  EXPECT_EQ(to_quarter.factor(8), 0.25);
}

TEST(Schedule, WarmUpComesBeforeTheRest) {
  const Schedule schedule({.kind = "linear", .warmup_epochs = 0.5, .warmup_start = 0.25}, 12,
                          8);  // 4 of 12 steps
  EXPECT_EQ(schedule.factor(0), 0.25);
  EXPECT_EQ(schedule.factor(2), 0.625);
  EXPECT_EQ(schedule.factor(4), 1.0);
  EXPECT_EQ(schedule.factor(6), 0.75);
  EXPECT_EQ(schedule.factor(12), 0.0);
}

TEST(Schedule, CosineIsHalfWayInTheMiddle) {
  const Schedule schedule({.kind = "cosine", .warmup_epochs = 1, .final_factor = 0.5}, 16, 4);
  EXPECT_EQ(schedule.factor(2), 0.5);
  EXPECT_EQ(schedule.factor(4), 1.0);
  EXPECT_DOUBLE_EQ(schedule.factor(10), 0.75);
  EXPECT_DOUBLE_EQ(schedule.factor(8), 0.5 + 0.5 * 0.75);  // cos(60 degrees) = 1/2
  EXPECT_EQ(schedule.factor(16), 0.5);
}

TEST(Schedule, StepsAtMilestones) {
  const Schedule schedule({.kind = "step", .milestones = {1, 2.5}, .gamma = 0.25}, 16, 4);
  EXPECT_EQ(schedule.factor(3), 1.0);
  EXPECT_EQ(schedule.factor(4), 0.25);
  EXPECT_EQ(schedule.factor(9), 0.25);
  EXPECT_EQ(schedule.factor(10), 0.0625);
}

TEST(Schedule, TriangleRisesAndFalls) {
  const Schedule schedule(
      {.kind = "triangle", .warmup_epochs = 3, .final_factor = 0.125, .peak_at = 0.25, .start_factor = 0.5},
      16, 4);
  EXPECT_EQ(schedule.factor(0), 0.5);
  EXPECT_EQ(schedule.factor(2), 0.75);
  EXPECT_EQ(schedule.factor(4), 1.0);
  EXPECT_EQ(schedule.factor(10), 0.5625);
  EXPECT_EQ(schedule.factor(16), 0.125);
}

TEST(Schedule, TrianglesMayPeakAtEitherEnd) {
  EXPECT_EQ(Schedule({.kind = "triangle", .peak_at = 0}, 4, 2).factor(0), 1.0);
  const Schedule rising({.kind = "triangle", .final_factor = 0.5, .peak_at = 1, .start_factor = 0}, 4, 2);
  EXPECT_EQ(rising.factor(3), 0.75);
  EXPECT_EQ(rising.factor(4), 0.5);
}

TEST(Schedule, RefusesWhatCannotBe) {
  const auto error_of = [](const ScheduleOptions& options, std::int64_t steps = 16) {
    return test::thrown_message<UsageError>([&] { const Schedule schedule(options, steps, 4); });
  };
  EXPECT_THAT(error_of({.kind = "triangel"}), HasSubstr("\"triangel\"; there are constant, step"));
  EXPECT_THAT(error_of({.warmup_epochs = 5}),
              HasSubstr("schedule.warmup_epochs = 5: 20 steps of warm-up do not fit into a training of 16"));
  EXPECT_THAT(error_of({.warmup_epochs = -1}), HasSubstr("schedule.warmup_epochs = -1"));
  EXPECT_THAT(error_of({.final_factor = -0.5}), HasSubstr("negative"));
  EXPECT_THAT(error_of({.kind = "triangle", .peak_at = 1.5}), HasSubstr("not at 1.5"));
  EXPECT_THAT(error_of({}, 0), HasSubstr("0 steps"));
}

}  // namespace
}  // namespace whorl::train
