// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/analysis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace whorl::readbench {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// One turn that takes `begin` and then `each` for a picture.
Measurement turn(std::size_t source, Cache cache, int batch, int batches, int repeat, double begin,
                 double each) {
  Measurement m{.configuration = {.source = source, .batch = batch, .batches = batches, .cache = cache}};
  m.repeat = repeat;
  m.images = std::int64_t{batch} * batches;
  m.seconds = begin + each * static_cast<double>(m.images);
  m.stored_bytes = m.decoded_bytes = m.images * 100;
  m.usage.user_seconds = m.seconds * 2 * (cache == Cache::warm ? 0.9 : 0.1);  // of two ranks
  m.usage.disk_bytes = cache == Cache::cold ? m.stored_bytes : 0;
  return m;
}

std::vector<Measurement> study_of_two() {
  std::vector<Measurement> all;
  for (const int batch : {8, 16, 32, 64})
    for (const int batches : {10, 30, 60})
      for (int repeat = 0; repeat < 3; ++repeat) {
        all.push_back(turn(0, Cache::warm, batch, batches, repeat, 0.25, 0.0625));
        all.push_back(turn(0, Cache::cold, batch, batches, repeat, 0.5, 0.25));
        all.push_back(turn(1, Cache::warm, batch, batches, repeat, 0, 0.015625));
      }
  return all;
}

TEST(Analysis, RecoversWhatTheTimesWereMadeOf) {
  const auto groups = analyse(study_of_two(), 2, 1e6, 1);
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_EQ(groups[0].condition.cache, Cache::cold);
  EXPECT_EQ(groups[0].measurements.size(), 36U);
  EXPECT_NEAR(groups[0].time.line.intercept, 0.5, 1e-9);
  EXPECT_NEAR(groups[0].time.line.slope, 0.25, 1e-12);
  EXPECT_NEAR(groups[0].time.slope.low, 0.25, 1e-9);
  EXPECT_NEAR(groups[1].time.line.intercept, 0.25, 1e-9);
  EXPECT_NEAR(groups[1].cpu_share, 0.9, 1e-9);
  EXPECT_NEAR(groups[0].disk_share, 1, 1e-9);
  EXPECT_NEAR(groups[2].copy_share, 100 / 0.015625 / 1e6, 1e-9);
  EXPECT_NEAR(groups[2].median_rate, 64, 1e-9);
}

TEST(Analysis, AveragesPerParameter) {
  const auto groups = analyse(study_of_two(), 2, 1e6, 1);
  const auto& averages = groups[1].averages;
  ASSERT_EQ(averages.size(), 4U + 3U + 3U);
  EXPECT_EQ(averages[0].parameter, "batch");
  EXPECT_EQ(averages[0].value, 8);
  const auto rate = [](double images) { return images / (0.25 + 0.0625 * images); };
  EXPECT_NEAR(averages[0].images_per_second, (rate(80) + rate(240) + rate(480)) / 3, 1e-9);
  EXPECT_EQ(averages[7].parameter, "repeat");
  EXPECT_EQ(averages[7].value, 1);
}

TEST(Analysis, RepeatsTheOriginalsRegressions) {
  const auto groups = analyse(study_of_two(), 2, 1e6, 1);
  const auto& regressions = groups[1].regressions;
  ASSERT_EQ(regressions.size(), 4U);
  EXPECT_EQ(regressions[0].on, "batch");
  EXPECT_GT(regressions[0].line.r, 0);  // what beginning costs weighs less
  EXPECT_LT(regressions[0].line.p, 0.05);
  EXPECT_EQ(regressions[2].on, "batch x batches");
  EXPECT_EQ(regressions[3].on, "repeat");
  EXPECT_NEAR(regressions[3].line.slope, 0, 1e-9);
}

TEST(Analysis, HasNoRegressionOnWhatDidNotVary) {
  std::vector<Measurement> of_one_batch = study_of_two();
  std::erase_if(of_one_batch, [](const Measurement& m) { return m.configuration.batch != 8; });
  const auto groups = analyse(of_one_batch, 2, 1e6, 1);
  ASSERT_FALSE(groups.empty());
  for (const Group& group : groups) {
    for (const Regression& regression : group.regressions) EXPECT_NE(regression.on, "batch");
    EXPECT_FALSE(group.regressions.empty());
  }
  for (const std::string& line : conclusions(groups, {.sources = {{"pixels", "a.h5"}, {"folder", "b"}}}))
    EXPECT_EQ(line.find("batch size"), std::string::npos) << line;
}

TEST(Conclusions, SayWhatBoundsASourceAndCompareWithSingleFiles) {
  const Study study{.sources = {{"pixels", "a.h5"}, {"folder", "b"}}};
  const auto lines = conclusions(analyse(study_of_two(), 2, 1e6, 1), study);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], AllOf(HasSubstr("pixels: 16 images/s warm (bound by the processor)"),
                              HasSubstr("4 images/s cold (waits for the disk)"), HasSubstr("0.2"),
                              HasSubstr("x single files"), HasSubstr("faster with larger batches")));
  EXPECT_THAT(lines[1], AllOf(HasSubstr("folder: 64 images/s warm"), HasSubstr("no difference"),
                              Not(HasSubstr("cold"))));
}

}  // namespace
}  // namespace whorl::readbench
