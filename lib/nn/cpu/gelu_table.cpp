// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/gelu_table.hpp"

#include <array>
#include <cmath>
#include <numbers>

namespace whorl::nn::cpu {

namespace {

/// The polynomial through f at the Chebyshev nodes of [0, 1]: Newton's divided differences, multiplied out.
template <int degree, typename Function>
std::array<double, degree + 1> interpolate(const Function& f) {
  std::array<double, degree + 1> node{}, difference{}, polynomial{};
  for (int k = 0; k <= degree; ++k) {
    node[k] = 0.5 + 0.5 * std::cos((2 * k + 1) * std::numbers::pi / (2 * (degree + 1)));
    difference[k] = f(node[k]);
  }
  for (int order = 1; order <= degree; ++order)
    for (int k = degree; k >= order; --k)
      difference[k] = (difference[k] - difference[k - 1]) / (node[k] - node[k - order]);
  for (int k = degree; k >= 0; --k) {  // polynomial * (r - node) + difference
    for (int power = degree; power > 0; --power)
      polynomial[power] = polynomial[power - 1] - node[k] * polynomial[power];
    polynomial[0] = difference[k] - node[k] * polynomial[0];
  }
  return polynomial;
}

template <int degree, typename Function>
void fill(IntervalTable<degree>& table, const Function& f) {
  for (int interval = 0; interval < gelu_intervals; ++interval) {
    const auto polynomial = interpolate<degree>([&](double r) { return f((interval + r) * gelu_interval); });
    for (int power = 0; power <= degree; ++power)
      table.coefficients[power][interval] = static_cast<float>(polynomial[power]);
  }
  for (int power = 0; power <= degree; ++power)
    table.coefficients[power][gelu_intervals - 1] = power == 0 ? 0.5F : 0.0F;
}

GeluTables make_tables() {
  const auto half = [](double t) { return 0.5 * std::erf(t / std::numbers::sqrt2); };
  const auto density = [](double t) { return std::exp(-t * t / 2) / std::sqrt(2 * std::numbers::pi); };
  GeluTables tables{};
  fill(tables.distribution, half);
  fill(tables.derivative, [&](double t) { return half(t) + t * density(t); });
  return tables;
}

}  // namespace

const GeluTables& gelu_tables() {
  static const GeluTables tables = make_tables();
  return tables;
}

}  // namespace whorl::nn::cpu
