// SPDX-License-Identifier: BSD-3-Clause
#include "scale/fit.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/keyed_random.hpp"

namespace whorl::scale {
namespace {

using Law = double (*)(double p);

double amdahl(double p) {
  return 120 / (0.07 + 0.93 / p);
}
double gustafson(double p) {
  return 120 * (0.2 + 0.8 * p);
}
double usl(double p) {
  return 120 * p / (1 + 0.03 * (p - 1) + 0.0007 * p * (p - 1));
}

std::vector<Sample> samples_of(Law law, const std::vector<int>& ranks, int repeats = 1, double noise = 0) {
  std::vector<Sample> samples;
  KeyedRandom random(5, RandomPurpose::test, 0, 0);
  for (const int p : ranks) {
    Sample sample{.ranks = p, .throughputs = {}};
    for (int i = 0; i < repeats; ++i)
      sample.throughputs.push_back(law(p) * (1 + noise * static_cast<double>(random.normal())));
    samples.push_back(sample);
  }
  return samples;
}

void expect_parameters(const Fit& fit, const std::vector<double>& values, double tolerance) {
  ASSERT_EQ(fit.failure, "");
  ASSERT_EQ(fit.parameters.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(fit.parameters[i].value, values[i], tolerance) << fit.law << " " << fit.parameters[i].name;
}

TEST(Fit, EveryLawIsRecoveredFromItsOwnSeries) {
  expect_parameters(fit_amdahl(samples_of(amdahl, {1, 2, 4, 7}), 1), {120, 0.07}, 1e-9);
  expect_parameters(fit_gustafson(samples_of(gustafson, {1, 2, 4, 7}), 1), {120, 0.2}, 1e-9);
  expect_parameters(fit_usl(samples_of(usl, {1, 2, 4, 7}), 1), {120, 0.03, 0.0007}, 1e-9);
  // Without a timing on one rank.
  expect_parameters(fit_usl(samples_of(usl, {3, 6, 48}), 1), {120, 0.03, 0.0007}, 1e-9);
}

TEST(Fit, WhatOneRankReachesIsNotMadeUp) {
  const Fit fit = fit_usl({{4, {1000}}, {8, {800}}, {16, {700}}}, 1);
  EXPECT_EQ(
      fit.failure,
      "USL cannot be fitted: what one rank would reach is not to be told from timings on 4 and more; time "
      "fewer ranks, too");
  EXPECT_TRUE(fit.parameters.empty());
  EXPECT_FALSE(peak_ranks(fit));
}

// Of the draws, some have the best fit at an infinite throughput of one rank.
TEST(Fit, IntervalsNeedAFitOfEachDraw) {
  const Fit fit = fit_usl({{4, {1000, 400}}, {8, {800, 700}}, {16, {700, 900}}}, 1);
  ASSERT_EQ(fit.failure, "");
  for (const Parameter& parameter : fit.parameters) EXPECT_FALSE(parameter.interval);
}

TEST(Fit, ItsThroughputIsTheLaw) {
  for (const int p : {1, 3, 100}) {
    EXPECT_NEAR(fit_amdahl(samples_of(amdahl, {1, 2, 4}), 1).throughput(p), amdahl(p), 1e-6);
    EXPECT_NEAR(fit_gustafson(samples_of(gustafson, {1, 2, 4}), 1).throughput(p), gustafson(p), 1e-6);
    EXPECT_NEAR(fit_usl(samples_of(usl, {1, 2, 4}), 1).throughput(p), usl(p), 1e-6);
  }
}

TEST(Fit, WithNoiseTheIntervalsHoldTheTruth) {
  const Fit fit = fit_usl(samples_of(usl, {1, 2, 4, 8, 16, 32, 64}, 8, 0.02), 1);
  const std::vector<double> truth{120, 0.03, 0.0007};
  for (std::size_t i = 0; i < truth.size(); ++i) {
    ASSERT_TRUE(fit.parameters[i].interval.has_value());
    const auto [low, high] = *fit.parameters[i].interval;
    EXPECT_LT(low, high);
    EXPECT_LE(low, truth[i]);
    EXPECT_GE(high, truth[i]);
    EXPECT_LT(high - low, truth[i] + 0.02) << fit.parameters[i].name;
  }
}

TEST(Fit, ResidualsShowThePointThatIsOff) {
  std::vector<Sample> samples = samples_of(gustafson, {1, 2, 3, 4, 5, 6, 7, 8});
  samples[4].throughputs[0] *= 0.8;
  const Fit fit = fit_gustafson(samples, 1);
  ASSERT_EQ(fit.residuals.size(), samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (i == 4) {
      EXPECT_LT(fit.residuals[i], -0.1);
    } else {
      EXPECT_LT(std::abs(fit.residuals[i]), 0.06) << i;
    }
  }
  EXPECT_FALSE(fit.exact_by_count);
}

TEST(Fit, TooFewPointsSayWhatIsMissing) {
  EXPECT_EQ(fit_amdahl(samples_of(amdahl, {4}, 3), 1).failure,
            "Amdahl needs timings on 2 or more numbers of ranks; there is 1");
  EXPECT_EQ(fit_usl(samples_of(usl, {1, 2}, 3), 1).failure,
            "USL needs timings on 3 or more numbers of ranks; there are 2");
  EXPECT_EQ(fit_usl({}, 1).failure, "USL needs timings on 3 or more numbers of ranks; there are 0");
  EXPECT_TRUE(fit_amdahl(samples_of(amdahl, {1, 2}), 1).exact_by_count);
}

TEST(Fit, OneRepeatGivesNoInterval) {
  const Fit fit = fit_amdahl(samples_of(amdahl, {1, 2, 4}), 1);
  EXPECT_FALSE(fit.parameters[1].interval.has_value());
}

TEST(Fit, ParametersStayInTheirRange) {
  // Faster than linear: no serial part, no contention.
  const auto superlinear = [](double p) { return 100 * p * p; };
  const Fit amdahl_fit = fit_amdahl(samples_of(superlinear, {1, 2, 4}), 1);
  EXPECT_EQ(amdahl_fit.parameters[1].value, 0);
  const Fit usl_fit = fit_usl(samples_of(superlinear, {1, 2, 4}), 1);
  EXPECT_EQ(usl_fit.parameters[1].value, 0);
  EXPECT_EQ(usl_fit.parameters[2].value, 0);
  // Slower with every rank: all serial.
  const auto falling = [](double p) { return 100 / p; };
  EXPECT_EQ(fit_amdahl(samples_of(falling, {1, 2, 4}), 1).parameters[1].value, 1);
}

TEST(Fit, ThePeakOfAUslIsWhereItsThroughputIsLargest) {
  const Fit fit = fit_usl(samples_of(usl, {1, 2, 4, 8}), 1);
  const auto peak = peak_ranks(fit);
  ASSERT_TRUE(peak.has_value());
  EXPECT_NEAR(*peak, std::sqrt(0.97 / 0.0007), 1e-3);
  EXPECT_GT(usl(*peak), usl(*peak - 1));
  EXPECT_GT(usl(*peak), usl(*peak + 1));
  EXPECT_FALSE(peak_ranks(fit_usl(samples_of(gustafson, {1, 2, 4}), 1)).has_value());
}

TEST(Efficiencies, AreMediansPerRankAgainstTheFirst) {
  const std::vector<Sample> samples{{2, {100, 90, 300}}, {4, {150, 10, 160}}};
  const std::vector<Efficiency> all = efficiencies(samples, 1);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].value, 1);
  EXPECT_FALSE(all[0].interval.has_value());
  EXPECT_DOUBLE_EQ(all[1].value, 0.75);
  ASSERT_TRUE(all[1].interval.has_value());
  EXPECT_LE(all[1].interval->low, 0.75);
  EXPECT_GE(all[1].interval->high, 0.75);
  EXPECT_TRUE(efficiencies({}, 1).empty());
}

TEST(Median, IsTheMiddleOrTheMeanOfBothMiddles) {
  EXPECT_EQ(median({3, 1, 20}), 3);
  EXPECT_EQ(median({20, 1, 4, 3}), 3.5);
}

}  // namespace
}  // namespace whorl::scale
