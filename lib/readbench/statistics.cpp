// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/statistics.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.hpp"
#include "base/keyed_random.hpp"

namespace whorl::readbench {

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

double p_of_correlation(double r, std::size_t points) {
  if (points < 3 || std::isnan(r)) return unknown;
  const double freedom = static_cast<double>(points) - 2;
  const double t = std::abs(r) * std::sqrt(freedom / std::max(1 - r * r, 1e-300));
  return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(freedom), t));
}

Interval middle_95_percent(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return {unknown, unknown};
  std::ranges::sort(values);
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
  };
  return {at(0.025), at(0.975)};
}

}  // namespace

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median(std::vector<double> values) {
  require(!values.empty(), "there is no median of nothing");
  std::ranges::sort(values);
  const std::size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

Line fit_line(std::span<const double> x, std::span<const double> y) {
  const double mean_x = mean(x), mean_y = mean(y);
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  if (!(xx > 0)) return {unknown, unknown, unknown, unknown};
  Line line{.slope = xy / xx,
            .intercept = mean_y - xy / xx * mean_x,
            .r = yy > 0 ? xy / std::sqrt(xx * yy) : unknown};
  line.p = p_of_correlation(line.r, x.size());
  return line;
}

FittedLine fit_with_intervals(std::span<const double> x, std::span<const double> y, std::uint64_t seed,
                              int resamples) {
  std::vector<double> slopes, intercepts, drawn_x(x.size()), drawn_y(x.size());
  for (int resample = 0; resample < resamples; ++resample) {
    KeyedRandom random(seed, RandomPurpose::test, 0, static_cast<std::uint64_t>(resample));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::size_t from = random.below(static_cast<std::uint32_t>(x.size()));
      drawn_x[i] = x[from];
      drawn_y[i] = y[from];
    }
    const Line line = fit_line(drawn_x, drawn_y);
    slopes.push_back(line.slope);
    intercepts.push_back(line.intercept);
  }
  return {fit_line(x, y), middle_95_percent(std::move(slopes)), middle_95_percent(std::move(intercepts))};
}

}  // namespace whorl::readbench
