// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace whorl::readbench {

/// An ordinary least-squares line y = intercept + slope * x.
struct Line {
  double slope = 0, intercept = 0;
  double r = 0;  ///< Pearson's correlation
  double p = 1;  ///< of a slope at least as far from 0 if there were none: two-sided t test, n - 2 degrees of
                 ///< freedom
};
/// Not a number where the x or the y do not vary; `p` also below three points.
Line fit_line(std::span<const double> x, std::span<const double> y);

struct Interval {
  double low = 0, high = 0;
};
/// A line with 95 % intervals of its parameters: percentiles of refits to samples drawn from the points with
/// replacement (Efron, "Bootstrap methods: another look at the jackknife", 1979). Deterministic for a seed.
struct FittedLine {
  Line line;
  Interval slope, intercept;
};
FittedLine fit_with_intervals(std::span<const double> x, std::span<const double> y, std::uint64_t seed,
                              int resamples = 1000);

double mean(std::span<const double> values);
double median(std::vector<double> values);

}  // namespace whorl::readbench
