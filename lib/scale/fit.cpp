// SPDX-License-Identifier: BSD-3-Clause
#include "scale/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "base/keyed_random.hpp"

namespace whorl::scale {

namespace {

using Vector = std::vector<double>;

/// A law in its linear form: target(P, X) = sum of coefficients * terms(P), coefficients >= 0.
struct LinearLaw {
  std::size_t unknowns;
  std::function<double(int ranks, double throughput)> target;
  std::function<Vector(int ranks)> terms;
  std::function<Vector(const Vector& coefficients)> parameters;  ///< x1 first
};

struct Observation {
  int ranks;
  double throughput;
};

/// Solves the normal equations of the unknowns that are `free` by elimination with pivoting; the others are
/// 0.
Vector solve(std::vector<Vector> matrix, Vector right, const std::vector<bool>& is_free) {
  const std::size_t n = right.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (is_free[i]) continue;
    for (std::size_t j = 0; j < n; ++j) matrix[i][j] = matrix[j][i] = 0;
    matrix[i][i] = 1;
    right[i] = 0;
  }
  for (std::size_t column = 0; column < n; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < n; ++row) {
      if (std::abs(matrix[row][column]) > std::abs(matrix[pivot][column])) pivot = row;
    }
    std::swap(matrix[column], matrix[pivot]);
    std::swap(right[column], right[pivot]);
    for (std::size_t row = 0; row < n; ++row) {
      if (row == column) continue;
      const double factor = matrix[row][column] / matrix[column][column];
      for (std::size_t k = column; k < n; ++k) matrix[row][k] -= factor * matrix[column][k];
      right[row] -= factor * right[column];
    }
  }
  for (std::size_t i = 0; i < n; ++i) right[i] /= matrix[i][i];
  return right;
}

/// Least squares of relative errors with coefficients >= 0: with so few unknowns, the best of all choices of
/// which are 0.
Vector least_squares(const LinearLaw& law, const std::vector<Observation>& observations) {
  const std::size_t n = law.unknowns;
  std::vector<Vector> rows;
  std::vector<Vector> matrix(n, Vector(n));
  Vector right(n);
  for (const Observation& one : observations) {
    Vector row = law.terms(one.ranks);
    const double target = law.target(one.ranks, one.throughput);
    for (double& value : row) value /= target;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) matrix[i][j] += row[i] * row[j];
      right[i] += row[i];
    }
    rows.push_back(row);
  }
  Vector best;
  double least = std::numeric_limits<double>::infinity();
  for (unsigned choice = 1; choice < 1U << n; ++choice) {
    std::vector<bool> is_free(n);
    for (std::size_t i = 0; i < n; ++i) is_free[i] = (choice >> i & 1U) != 0;
    const Vector coefficients = solve(matrix, right, is_free);
    if (std::any_of(coefficients.begin(), coefficients.end(), [](double c) { return !(c >= 0); })) continue;
    double squares = 0;
    for (const Vector& row : rows) {
      const double error = std::inner_product(row.begin(), row.end(), coefficients.begin(), -1.0);
      squares += error * error;
    }
    if (squares >= least) continue;
    least = squares;
    best = coefficients;
  }
  return best;
}

std::vector<Observation> observations_of(const std::vector<Sample>& samples) {
  std::vector<Observation> all;
  for (const Sample& sample : samples) {
    for (const double throughput : sample.throughputs) all.push_back({sample.ranks, throughput});
  }
  return all;
}

bool is_repeated(const std::vector<Sample>& samples) {
  return std::all_of(samples.begin(), samples.end(),
                     [](const Sample& sample) { return sample.throughputs.size() > 1; });
}

std::vector<Sample> draw_again(const std::vector<Sample>& samples, KeyedRandom& random) {
  std::vector<Sample> drawn = samples;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Vector& from = samples[i].throughputs;
    for (double& value : drawn[i].throughputs)
      value = from[random.below(static_cast<std::uint32_t>(from.size()))];
  }
  return drawn;
}

bool are_finite(const Vector& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

/// 95 % intervals of every component of `statistic`; none where it is not finite for each draw.
std::vector<Interval> bootstrap(const std::vector<Sample>& samples, std::uint64_t seed,
                                const std::function<Vector(const std::vector<Sample>&)>& statistic) {
  std::vector<Vector> by_component;
  for (int draw = 0; draw < bootstrap_draws; ++draw) {
    KeyedRandom random(seed, RandomPurpose::study, 0, static_cast<std::uint64_t>(draw));
    const Vector values = statistic(draw_again(samples, random));
    if (!are_finite(values)) return {};
    by_component.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) by_component[i].push_back(values[i]);
  }
  std::vector<Interval> intervals;
  for (Vector& values : by_component) {
    std::sort(values.begin(), values.end());
    const std::size_t tail = values.size() / 40;
    intervals.push_back({values[tail], values[values.size() - 1 - tail]});
  }
  return intervals;
}

Fit without_fit(Fit result, std::string reason) {
  result.failure = std::move(reason);
  result.parameters.clear();
  return result;
}

Fit fit(Fit result, const LinearLaw& law, const std::vector<Sample>& samples, std::uint64_t seed) {
  if (samples.size() < law.unknowns) {
    const std::string reason =
        fmt::format("{} needs timings on {} or more numbers of ranks; there {} {}", result.law, law.unknowns,
                    samples.size() == 1 ? "is" : "are", samples.size());
    return without_fit(std::move(result), reason);
  }
  const auto parameters_of = [&](const std::vector<Sample>& from) {
    return law.parameters(least_squares(law, observations_of(from)));
  };
  const Vector values = parameters_of(samples);
  if (!are_finite(values)) {
    const std::string reason = fmt::format(
        "{} cannot be fitted: what one rank would reach is not to be told from timings on {} and "
        "more; time fewer ranks, too",
        result.law, samples.front().ranks);
    return without_fit(std::move(result), reason);
  }
  for (std::size_t i = 0; i < values.size(); ++i) result.parameters[i].value = values[i];
  if (is_repeated(samples)) {
    const std::vector<Interval> intervals = bootstrap(samples, seed, parameters_of);
    for (std::size_t i = 0; i < intervals.size(); ++i) result.parameters[i].interval = intervals[i];
  }
  for (const Sample& sample : samples) {
    const double mean = std::accumulate(sample.throughputs.begin(), sample.throughputs.end(), 0.0) /
                        static_cast<double>(sample.throughputs.size());
    result.residuals.push_back(mean / result.throughput(sample.ranks) - 1);
  }
  result.exact_by_count = samples.size() == law.unknowns;
  return result;
}

double share(double part, double rest) {
  return part / (part + rest);
}

}  // namespace

double Fit::throughput(int ranks) const {
  const double p = ranks, x1 = parameters.at(0).value, s = parameters.at(1).value;
  if (law == "Amdahl") return x1 / (s + (1 - s) / p);
  if (law == "Gustafson") return x1 * (s + (1 - s) * p);
  return x1 * p / (1 + s * (p - 1) + parameters.at(2).value * p * (p - 1));
}

// Time of a picture: 1/X = (s + (1-s)/P) / x1.
Fit fit_amdahl(const std::vector<Sample>& samples, std::uint64_t seed) {
  const LinearLaw law{2, [](int, double x) { return 1 / x; },
                      [](int p) {
                        return Vector{1.0, 1.0 / p};
                      },
                      [](const Vector& c) {
                        return Vector{1 / (c[0] + c[1]), share(c[0], c[1])};
                      }};
  Fit start{.law = "Amdahl",
            .formula = "X(P) = x1 / (s + (1-s)/P)",
            .parameters = {},
            .failure = {},
            .residuals = {}};
  start.parameters = {{"x1", 0, {}}, {"s", 0, {}}};
  return fit(start, law, samples, seed);
}

Fit fit_gustafson(const std::vector<Sample>& samples, std::uint64_t seed) {
  const LinearLaw law{2, [](int, double x) { return x; },
                      [](int p) {
                        return Vector{1.0, 1.0 * p};
                      },
                      [](const Vector& c) {
                        return Vector{c[0] + c[1], share(c[0], c[1])};
                      }};
  Fit start{.law = "Gustafson",
            .formula = "X(P) = x1 (s + (1-s) P)",
            .parameters = {},
            .failure = {},
            .residuals = {}};
  start.parameters = {{"x1", 0, {}}, {"s", 0, {}}};
  return fit(start, law, samples, seed);
}

// P/X = (1 + contention (P-1) + coherency P (P-1)) / x1.
Fit fit_usl(const std::vector<Sample>& samples, std::uint64_t seed) {
  const LinearLaw law{3, [](int p, double x) { return p / x; },
                      [](int p) {
                        return Vector{1.0, p - 1.0, static_cast<double>(p) * (p - 1.0)};
                      },
                      [](const Vector& c) {
                        return Vector{1 / c[0], c[1] / c[0], c[2] / c[0]};
                      }};
  Fit start{.law = "USL",
            .formula = "X(P) = x1 P / (1 + contention (P-1) + coherency P (P-1))",
            .parameters = {},
            .failure = {},
            .residuals = {}};
  start.parameters = {{"x1", 0, {}}, {"contention", 0, {}}, {"coherency", 0, {}}};
  return fit(start, law, samples, seed);
}

std::optional<double> peak_ranks(const Fit& usl) {
  if (!usl.failure.empty() || usl.parameters.at(2).value <= 0 || usl.parameters[1].value >= 1)
    return std::nullopt;
  return std::sqrt((1 - usl.parameters[1].value) / usl.parameters[2].value);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<Efficiency> efficiencies(const std::vector<Sample>& samples, std::uint64_t seed) {
  const auto values_of = [](const std::vector<Sample>& from) {
    Vector values;
    const double first = median(from[0].throughputs) / from[0].ranks;
    for (const Sample& sample : from) values.push_back(median(sample.throughputs) / sample.ranks / first);
    return values;
  };
  if (samples.empty()) return {};
  std::vector<Interval> intervals;
  if (is_repeated(samples)) intervals = bootstrap(samples, seed, values_of);
  const Vector values = values_of(samples);
  std::vector<Efficiency> result;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    result.push_back({samples[i].ranks, values[i], {}});
    if (!intervals.empty() && i > 0) result.back().interval = intervals[i];
  }
  return result;
}

}  // namespace whorl::scale
