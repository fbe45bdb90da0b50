// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/winograd/gemm.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nn/cpu/winograd/gemm.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include <algorithm>

#include "nn/cpu/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace whorl::nn::cpu::winograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using cpu::HWY_NAMESPACE::lanes;
using cpu::HWY_NAMESPACE::load;
using cpu::HWY_NAMESPACE::store;
using cpu::HWY_NAMESPACE::Tag;
using cpu::HWY_NAMESPACE::Vector;

/// Vectors side by side in a panel, and rows that go with so many: their sums, a row of b and one value of a
/// fill the 32 registers of AVX-512 or the 16 of older instruction sets.
constexpr int panel_vectors = lanes == 16 ? 4 : 16 / lanes;
constexpr int rows_for(int vectors) {
  constexpr int sums = lanes == 16 ? 24 : 12;
  return vectors > sums ? 1 : std::min(12, sums / vectors);
}
/// A slice of a panel of this depth stays in the first cache level while all rows pass by.
constexpr int depth_of_slice = 64;

/// rows x (vectors * lanes) numbers of c; `transposed`: a is (depth, rows). A slice is summed by itself
/// before it is added to c: rounding then grows with the slice, not with all that c has taken in before.
template <int rows, int vectors, bool transposed>
HWY_INLINE void tile(const float* HWY_RESTRICT a, std::size_t a_stride, const float* HWY_RESTRICT b,
                     std::size_t b_stride, float* HWY_RESTRICT c, std::size_t c_stride, int depth, bool add,
                     PrefetchQueue& prefetch) {
  const PrefetchQueue::Lines lines = prefetch.take(depth);
  const char* ahead = lines.first;
  Vector sum[rows][vectors];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) sum[i][j] = hn::Zero(Tag());
  for (int k = 0; k < depth; ++k, ahead += lines.step) {
    __builtin_prefetch(ahead, 0, 2);
    Vector row[vectors];
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) row[j] = load(b + k * b_stride + j * lanes);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const Vector factor = hn::Set(Tag(), transposed ? a[k * a_stride + i] : a[i * a_stride + k]);
#pragma GCC unroll 4
      for (int j = 0; j < vectors; ++j) sum[i][j] = hn::MulAdd(factor, row[j], sum[i][j]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) {
      float* to = c + i * c_stride + j * lanes;
      store(add ? hn::Add(load(to), sum[i][j]) : sum[i][j], to);
    }
}

/// All rows of c against one slice of a panel: tiles of rows_for(vectors), then what is left in tiles of 4, 2
/// and 1.
template <int vectors, bool transposed>
void panel(int rows, const float* a, std::size_t a_stride, const float* b, std::size_t b_stride, float* c,
           std::size_t c_stride, int depth, bool add, PrefetchQueue& prefetch) {
  const std::size_t step = transposed ? 1 : a_stride;
  const auto advance = [&](int done) HWY_ATTR {
    a += done * step;
    c += done * c_stride;
    rows -= done;
  };
  constexpr int most = rows_for(vectors);
  while (rows >= most) {
    tile<most, vectors, transposed>(a, a_stride, b, b_stride, c, c_stride, depth, add, prefetch);
    advance(most);
  }
  if constexpr (most > 4)
    while (rows >= 4) {
      tile<4, vectors, transposed>(a, a_stride, b, b_stride, c, c_stride, depth, add, prefetch);
      advance(4);
    }
  if constexpr (most > 2)
    while (rows >= 2) {
      tile<2, vectors, transposed>(a, a_stride, b, b_stride, c, c_stride, depth, add, prefetch);
      advance(2);
    }
  while (rows >= 1) {
    tile<1, vectors, transposed>(a, a_stride, b, b_stride, c, c_stride, depth, add, prefetch);
    advance(1);
  }
}

/// Columns are a multiple of a block, 8 or 16.
template <bool transposed, int vectors = panel_vectors>
void panel_of(int columns, int rows, const float* a, std::size_t a_stride, const float* b,
              std::size_t b_stride, float* c, std::size_t c_stride, int depth, bool add,
              PrefetchQueue& prefetch) {
  constexpr int step = std::max(1, 8 / lanes);
  if (columns == vectors * lanes)
    return panel<vectors, transposed>(rows, a, a_stride, b, b_stride, c, c_stride, depth, add, prefetch);
  if constexpr (vectors > step)
    panel_of<transposed, vectors - step>(columns, rows, a, a_stride, b, b_stride, c, c_stride, depth, add,
                                         prefetch);
}

int panel_columns() {
  return panel_vectors * lanes;
}

void multiply_by_panels(const GemmShape& shape, ConstMatrix a, const float* b, float* c, std::size_t c_stride,
                        bool add, PrefetchQueue& prefetch) {
  for (int j = 0; j < shape.columns; j += panel_columns()) {
    const int columns = std::min(panel_columns(), shape.columns - j);
    const float* of_panel = b + std::size_t(j) * shape.depth;
    for (int k = 0; k < shape.depth; k += depth_of_slice)
      panel_of<false>(columns, shape.rows, a.data + k, a.stride, of_panel + std::size_t(k) * columns, columns,
                      c + j, c_stride, std::min(depth_of_slice, shape.depth - k), add || k > 0, prefetch);
  }
}

void multiply_transposed(const GemmShape& shape, ConstMatrix a, ConstMatrix b, float* c, std::size_t c_stride,
                         bool add, PrefetchQueue& prefetch) {
  for (int j = 0; j < shape.columns; j += panel_columns())
    for (int k = 0; k < shape.depth; k += depth_of_slice)
      panel_of<true>(std::min(panel_columns(), shape.columns - j), shape.rows, a.data + k * a.stride,
                     a.stride, b.data + k * b.stride + j, b.stride, c + j, c_stride,
                     std::min(depth_of_slice, shape.depth - k), add || k > 0, prefetch);
}

}  // namespace whorl::nn::cpu::winograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl::nn::cpu::winograd {

HWY_EXPORT(panel_columns);
HWY_EXPORT(multiply_by_panels);
HWY_EXPORT(multiply_transposed);

int panel_columns() {
  return HWY_DYNAMIC_DISPATCH(panel_columns)();
}
void multiply_by_panels(const GemmShape& shape, ConstMatrix a, const float* b, float* c, std::size_t c_stride,
                        bool add, PrefetchQueue& prefetch) {
  HWY_DYNAMIC_DISPATCH(multiply_by_panels)(shape, a, b, c, c_stride, add, prefetch);
}
void multiply_transposed(const GemmShape& shape, ConstMatrix a, ConstMatrix b, float* c, std::size_t c_stride,
                         bool add, PrefetchQueue& prefetch) {
  HWY_DYNAMIC_DISPATCH(multiply_transposed)(shape, a, b, c, c_stride, add, prefetch);
}

}  // namespace whorl::nn::cpu::winograd
#endif
