// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/keyed_random.hpp"

namespace whorl::readbench {
namespace {

// F. J. Anscombe, "Graphs in statistical analysis", 1973, first set; p from R's lm().
TEST(FitLine, AgreesWithAnscombe) {
  const std::vector<double> x{10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5};
  const std::vector<double> y{8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
  const Line line = fit_line(x, y);
  EXPECT_NEAR(line.slope, 0.50009, 1e-5);
  EXPECT_NEAR(line.intercept, 3.00009, 1e-5);
  EXPECT_NEAR(line.r, 0.81642, 1e-5);
  EXPECT_NEAR(line.p, 0.00217, 1e-5);
}

TEST(FitLine, IsExactOnALine) {
  const std::vector<double> x{1, 2, 4, 8}, y{1, -1, -5, -13};
  const Line line = fit_line(x, y);
  EXPECT_EQ(line.slope, -2);
  EXPECT_EQ(line.intercept, 3);
  EXPECT_EQ(line.r, -1);
  EXPECT_LT(line.p, 1e-9);
}

TEST(FitLine, SaysWhatItCannotKnow) {
  const std::vector<double> same{3, 3, 3}, y{1, 2, 4}, two{1, 2};
  EXPECT_TRUE(std::isnan(fit_line(same, y).slope));
  EXPECT_TRUE(std::isnan(fit_line(two, two).p));
  EXPECT_EQ(fit_line(y, same).slope, 0);
  EXPECT_TRUE(std::isnan(fit_line(y, same).r));
}

// Of 200 noisy lines, the 95 % intervals hold the true slope 190 times on average; with 30 points each, the
// bootstrap's are slightly narrow. Keys are fixed.
TEST(FitWithIntervals, CoversTheTruth) {
  int covered = 0;
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    KeyedRandom random(7, RandomPurpose::test, 1, trial);
    std::vector<double> x, y;
    for (int i = 0; i < 30; ++i) {
      x.push_back(i);
      y.push_back(5 + 0.25 * i + random.normal());
    }
    const FittedLine fit = fit_with_intervals(x, y, trial, 400);
    EXPECT_LE(fit.slope.low, fit.line.slope);
    EXPECT_GE(fit.slope.high, fit.line.slope);
    covered += fit.slope.low <= 0.25 && 0.25 <= fit.slope.high;
  }
  EXPECT_GE(covered, 175);
  EXPECT_LE(covered, 199);
}

TEST(FitWithIntervals, IsDeterministic) {
  const std::vector<double> x{1, 2, 3, 4, 5, 6, 7, 8, 9}, y{2, 4.5, 5.1, 8.7, 9.3, 12.4, 12.9, 17.1, 16.2};
  const FittedLine first = fit_with_intervals(x, y, 3), again = fit_with_intervals(x, y, 3);
  EXPECT_EQ(first.slope.low, again.slope.low);
  EXPECT_NE(first.slope.low, fit_with_intervals(x, y, 4).slope.low);
}

TEST(Median, IsBetweenTheMiddleTwo) {
  EXPECT_EQ(median({5, 1, 9}), 5);
  EXPECT_EQ(median({5, 1, 9, 2}), 3.5);
}

}  // namespace
}  // namespace whorl::readbench
