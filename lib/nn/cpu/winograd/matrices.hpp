// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace whorl::nn::cpu::winograd {

/// The finite points of F(m x m, 3 x 3); infinity is always the last one. Pairs +-p stand side by side, so
/// that transforms can share the even and the odd halves of their sums. Of some thousand sets tried for each
/// m, these have about the smallest float32 errors, mostly from rounding in the products' sums: relative to a
/// convolution's results (64 channels, random numbers; the largest of the three passes) 1.0e-6 for m = 3,
/// 1.2e-6 for 4, 3.2e-6 for 5 and 5.4e-6 for 6.
template <int m>
struct Points;
template <>
struct Points<3> {
  static constexpr double at[] = {0, 0.75, -0.75, 1.875};
};
template <>
struct Points<4> {
  static constexpr double at[] = {0, 0.625, -0.625, 1.5, -1.5};
};
template <>
struct Points<5> {
  static constexpr double at[] = {0, 0.5625, -0.5625, 1.125, -1.125, 2.4375};
};
template <>
struct Points<6> {
  static constexpr double at[] = {0, 0.5, -0.5, 1, -1, 2, -2};
};

template <int rows, int columns>
struct Matrix {
  float at[rows][columns]{};

  constexpr Matrix<columns, rows> transposed() const {
    Matrix<columns, rows> result;
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < columns; ++j) result.at[j][i] = at[i][j];
    return result;
  }
};

/// The matrices of Cook and Toom that turn a 3x3 convolution of an a x a window, a = m + 2, into a * a
/// products (Winograd 1980; Lavin and Gray 2016): y = A^T [(G g G^T) .* (B^T d B)] A gives m x m outputs. The
/// adjoint passes use their transposes.
template <int m>
struct Matrices {
  static constexpr int window = m + 2;
  Matrix<window, window> input;  ///< B^T
  Matrix<window, 3> filter;      ///< G
  Matrix<m, window> output;      ///< A^T

  constexpr Matrices() {
    constexpr int finite = window - 1;
    const auto& p = Points<m>::at;
    // Row i of B^T: the coefficients of the product of (x - p_k) over all finite k but i; for infinity, over
    // all.
    for (int i = 0; i < window; ++i) {
      double c[window + 1] = {1};
      for (int k = 0, degree = 0; k < finite; ++k) {
        if (k == i) continue;
        for (int d = ++degree; d > 0; --d) c[d] = c[d - 1] - p[k] * c[d];
        c[0] *= -p[k];
      }
      for (int d = 0; d < window; ++d) input.at[i][d] = static_cast<float>(c[d]);
    }
    for (int i = 0; i < finite; ++i) {
      double others = 1, power = 1;
      for (int k = 0; k < finite; ++k)
        if (k != i) others *= p[i] - p[k];
      for (int j = 0; j < 3 || j < m; ++j, power *= p[i]) {
        if (j < m) output.at[j][i] = static_cast<float>(power);
        if (j < 3) filter.at[i][j] = static_cast<float>(power / others);
      }
    }
    output.at[m - 1][finite] = 1;
    filter.at[finite][2] = 1;
  }
};

}  // namespace whorl::nn::cpu::winograd
