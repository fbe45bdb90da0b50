// SPDX-License-Identifier: BSD-3-Clause
// Compiled once for every instruction set (Highway's foreach_target.h), hence this guard instead of #pragma
// once.
#if defined(WHORL_NN_CPU_WINOGRAD_TILE_TRANSFORM_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef WHORL_NN_CPU_WINOGRAD_TILE_TRANSFORM_INL
#undef WHORL_NN_CPU_WINOGRAD_TILE_TRANSFORM_INL
#else
#define WHORL_NN_CPU_WINOGRAD_TILE_TRANSFORM_INL
#endif

#include <hwy/highway.h>

#include "nn/cpu/winograd/matrices.hpp"

HWY_BEFORE_NAMESPACE();
namespace whorl::nn::cpu::winograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Products with matrices that are known when compiling: zero factors vanish, ones cost no multiplication, and
// loops are unrolled.

/// The column from which a row's sum over first, first + step, ... starts: one with factor 1 if there is one;
/// -1: the sum is empty.
template <const auto& matrix, int columns>
constexpr int first_term(int row, int first, int step) {
  for (int j = first; j < columns; j += step)
    if (matrix.at[row][j] == 1.0F) return j;
  for (int j = first; j < columns; j += step)
    if (matrix.at[row][j] != 0.0F) return j;
  return -1;
}

/// Sum of matrix[row][j] x[j] over j = first, first + step, ...
template <const auto& matrix, int columns, int row, int first, int step, class V>
HWY_INLINE V row_sum(const V* HWY_RESTRICT x) {
  const hn::DFromV<V> d;
  constexpr int start = first_term<matrix, columns>(row, first, step);
  if constexpr (start < 0) return hn::Zero(d);
  V sum = x[start];
  if constexpr (matrix.at[row][start] != 1.0F) sum = hn::Mul(hn::Set(d, matrix.at[row][start]), sum);
#pragma GCC unroll 8
  for (int j = first; j < columns; j += step) {
    const float factor = matrix.at[row][j];
    if (j == start || factor == 0.0F) continue;
    if (factor == 1.0F)
      sum = hn::Add(sum, x[j]);
    else if (factor == -1.0F)
      sum = hn::Sub(sum, x[j]);
    else
      sum = hn::MulAdd(hn::Set(d, factor), x[j], sum);
  }
  return sum;
}

/// Whether row r + 1 is row r with the signs of its odd columns turned, as for points p and -p: both need the
/// same two half sums.
template <int rows, int columns>
constexpr bool rows_mirror(const Matrix<rows, columns>& m, int r) {
  if (r + 1 >= rows) return false;
  for (int j = 0; j < columns; ++j)
    if (m.at[r + 1][j] != (j % 2 == 0 ? m.at[r][j] : -m.at[r][j])) return false;
  return true;
}

/// y = matrix x.
template <const auto& matrix, int rows, int columns, int row = 0, class V>
HWY_INLINE void multiply_rows(const V* HWY_RESTRICT x, V* HWY_RESTRICT y) {
  if constexpr (row < rows) {
    constexpr bool pair = rows_mirror(matrix, row);
    if constexpr (pair) {
      const V even = row_sum<matrix, columns, row, 0, 2>(x), odd = row_sum<matrix, columns, row, 1, 2>(x);
      y[row] = hn::Add(even, odd);
      y[row + 1] = hn::Sub(even, odd);
    } else {
      y[row] = row_sum<matrix, columns, row, 0, 1>(x);
    }
    multiply_rows<matrix, rows, columns, row + (pair ? 2 : 1)>(x, y);
  }
}

/// Of a matrix whose columns j and j + 1 mirror each other: the matrix that acts on the sum and the
/// difference of x_j and x_j+1 instead.
template <int rows, int columns>
constexpr Matrix<rows, columns> on_sums_and_differences(Matrix<rows, columns> m) {
  const Matrix<columns, rows> columns_of = m.transposed();
  for (int j = 0; j + 1 < columns; ++j) {
    if (!rows_mirror(columns_of, j)) continue;
    for (int i = 0; i < rows; ++i) (i % 2 == 0 ? m.at[i][j + 1] : m.at[i][j]) = 0;
    for (int i = 1; i < rows; i += 2) m.at[i][j + 1] = columns_of.at[j][i];
    ++j;
  }
  return m;
}

template <const auto& matrix, int rows, int columns, int column = 0, class V>
HWY_INLINE void add_and_subtract(const V* HWY_RESTRICT x, V* HWY_RESTRICT z) {
  if constexpr (column < columns) {
    constexpr bool pair = rows_mirror(matrix.transposed(), column);
    z[column] = pair ? hn::Add(x[column], x[column + (pair ? 1 : 0)]) : x[column];
    if constexpr (pair) z[column + 1] = hn::Sub(x[column], x[column + 1]);
    add_and_subtract<matrix, rows, columns, column + (pair ? 2 : 1)>(x, z);
  }
}

template <const auto& matrix, int rows, int columns>
struct Folded {
  static constexpr Matrix<rows, columns> value = on_sums_and_differences(matrix);
};

template <const auto& matrix, int rows, int columns, class V>
HWY_INLINE void multiply(const V* HWY_RESTRICT x, V* HWY_RESTRICT y) {
  V z[columns];
  add_and_subtract<matrix, rows, columns>(x, z);
  multiply_rows<Folded<matrix, rows, columns>::value, rows, columns>(z, y);
}

/// Y = matrix X matrix^T for X[y][x] = load(y, x); ends in store(y, x, Y[y][x]).
template <const auto& matrix, int rows, int columns, class D, class Load, class Store>
HWY_INLINE void transform_tile(D, const Load& load, const Store& store) {
  using V = hn::Vec<D>;
  V half[rows][columns];
#pragma GCC unroll 8
  for (int x = 0; x < columns; ++x) {
    V column[columns], product[rows];
#pragma GCC unroll 8
    for (int y = 0; y < columns; ++y) column[y] = load(y, x);
    multiply<matrix, rows, columns>(column, product);
#pragma GCC unroll 8
    for (int y = 0; y < rows; ++y) half[y][x] = product[y];
  }
#pragma GCC unroll 8
  for (int y = 0; y < rows; ++y) {
    V product[rows];
    multiply<matrix, rows, columns>(half[y], product);
#pragma GCC unroll 8
    for (int x = 0; x < rows; ++x) store(y, x, product[x]);
  }
}

}  // namespace whorl::nn::cpu::winograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
