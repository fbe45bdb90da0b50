// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace whorl::nn::cpu {

/// |x| is cut into intervals of this width; the last one stands for all that follows.
inline constexpr int gelu_intervals = 32;
inline constexpr float gelu_interval = 0.1953125F;

/// A polynomial of r in [0, 1) per interval.
template <int degree>
struct IntervalTable {
  float coefficients[degree + 1][gelu_intervals];
};

struct GeluTables {
  IntervalTable<3> distribution;  ///< Phi(t) - 1/2, error below 2e-7
  IntervalTable<4> derivative;    ///< Phi(t) + t phi(t) - 1/2, error below 1e-7
};

/// Made at first use, by interpolation at Chebyshev nodes.
const GeluTables& gelu_tables();

}  // namespace whorl::nn::cpu
