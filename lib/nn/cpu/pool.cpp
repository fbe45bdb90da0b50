// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/pool.hpp"

#include <algorithm>
#include <limits>

#include "base/simd.hpp"
#include "nn/cpu/lanes.hpp"

namespace whorl::nn::cpu {

namespace {

/// Cells [first, last) of an axis of `length` that a window covers; its own cell 0 lies at `origin`, perhaps
/// in the padding.
struct Cells {
  int origin, first, last;
};

WHORL_INLINE Cells cells_of_window(const PoolGeometry& geometry, int output, int length) {
  const int origin = output * geometry.stride - geometry.padding;
  return {origin, std::max(origin, 0), std::min(origin + geometry.window, length)};
}

template <int B>
WHORL_INLINE void max_window(const PoolGeometry& geometry, const Cells& rows, const Cells& columns,
                             const float* x, float* y, std::uint16_t* winner) {
  FloatLanes<B> best = FloatLanes<B>{} - std::numeric_limits<float>::infinity();
  IntLanes<B> best_cell = {};
  for (int row = rows.first; row < rows.last; ++row)
    for (int column = columns.first; column < columns.last; ++column) {
      const FloatLanes<B> value = load<B>(x + (row * geometry.input_width + column) * B);
      const int cell = (row - rows.origin) * geometry.window + column - columns.origin;
      best_cell = value > best ? IntLanes<B>{} + cell : best_cell;
      best = maximum<B>(value, best);
    }
  store<B>(y, best);
  const auto cells = __builtin_convertvector(best_cell, ShortLanes<B>);
  std::memcpy(winner, &cells, sizeof cells);
}

template <int B>
WHORL_INLINE void max_unpool_window(const PoolGeometry& geometry, const Cells& rows, const Cells& columns,
                                    const float* dy, const std::uint16_t* winner, float* dx) {
  ShortLanes<B> cells;
  std::memcpy(&cells, winner, sizeof cells);
  const auto best_cell = __builtin_convertvector(cells, IntLanes<B>);
  const FloatLanes<B> gradient = load<B>(dy);
  for (int row = rows.first; row < rows.last; ++row)
    for (int column = columns.first; column < columns.last; ++column) {
      float* target = dx + (row * geometry.input_width + column) * B;
      const int cell = (row - rows.origin) * geometry.window + column - columns.origin;
      store<B>(target, load<B>(target) + (best_cell == cell ? gradient : FloatLanes<B>{}));
    }
}

template <int B>
WHORL_INLINE void max_pool_body(const PoolGeometry& geometry, const float* x, float* y,
                                std::uint16_t* winner) {
  for (int out_y = 0; out_y < geometry.output_height; ++out_y) {
    const Cells rows = cells_of_window(geometry, out_y, geometry.input_height);
    for (int out_x = 0; out_x < geometry.output_width; ++out_x, y += B, winner += B)
      max_window<B>(geometry, rows, cells_of_window(geometry, out_x, geometry.input_width), x, y, winner);
  }
}

template <int B>
WHORL_INLINE void max_unpool_body(const PoolGeometry& geometry, const float* dy, const std::uint16_t* winner,
                                  float* dx, bool add) {
  if (!add) std::memset(dx, 0, sizeof(float) * B * geometry.input_height * geometry.input_width);
  for (int out_y = 0; out_y < geometry.output_height; ++out_y) {
    const Cells rows = cells_of_window(geometry, out_y, geometry.input_height);
    for (int out_x = 0; out_x < geometry.output_width; ++out_x, dy += B, winner += B)
      max_unpool_window<B>(geometry, rows, cells_of_window(geometry, out_x, geometry.input_width), dy, winner,
                           dx);
  }
}

template <int B>
WHORL_INLINE void average_body(const PoolGeometry& geometry, const float* x, float* y) {
  const float factor = 1.0F / static_cast<float>(geometry.window * geometry.window);
  for (int out_y = 0; out_y < geometry.output_height; ++out_y)
    for (int out_x = 0; out_x < geometry.output_width; ++out_x, y += B) {
      FloatLanes<B> sum = {};
      for (int row = 0; row < geometry.window; ++row)
        for (int column = 0; column < geometry.window; ++column)
          sum += load<B>(x + ((out_y * geometry.stride + row) * geometry.input_width +
                              out_x * geometry.stride + column) *
                                 B);
      store<B>(y, sum * factor);
    }
}

template <int B>
WHORL_INLINE void average_unpool_body(const PoolGeometry& geometry, const float* dy, float* dx, bool add) {
  if (!add) std::memset(dx, 0, sizeof(float) * B * geometry.input_height * geometry.input_width);
  const float factor = 1.0F / static_cast<float>(geometry.window * geometry.window);
  for (int out_y = 0; out_y < geometry.output_height; ++out_y)
    for (int out_x = 0; out_x < geometry.output_width; ++out_x, dy += B)
      for (int row = 0; row < geometry.window; ++row)
        for (int column = 0; column < geometry.window; ++column) {
          float* target =
              dx +
              ((out_y * geometry.stride + row) * geometry.input_width + out_x * geometry.stride + column) * B;
          store<B>(target, load<B>(target) + load<B>(dy) * factor);
        }
}

}  // namespace

PoolGeometry pool_geometry(const Pool& pool, const Shape& input, const Shape& output, int block) {
  return {.input_height = input.height,
          .input_width = input.width,
          .output_height = output.height,
          .output_width = output.width,
          .window = pool.window,
          .stride = pool.stride,
          .padding = pool.padding,
          .block = block};
}

WHORL_SIMD_CLONES
void max_pool_plane(const PoolGeometry& geometry, const float* x, float* y, std::uint16_t* winner) {
  geometry.block == 16 ? max_pool_body<16>(geometry, x, y, winner) : max_pool_body<8>(geometry, x, y, winner);
}

WHORL_SIMD_CLONES
void max_unpool_plane(const PoolGeometry& geometry, const float* dy, const std::uint16_t* winner, float* dx,
                      bool add) {
  geometry.block == 16 ? max_unpool_body<16>(geometry, dy, winner, dx, add)
                       : max_unpool_body<8>(geometry, dy, winner, dx, add);
}

WHORL_SIMD_CLONES
void average_pool_plane(const PoolGeometry& geometry, const float* x, float* y) {
  geometry.block == 16 ? average_body<16>(geometry, x, y) : average_body<8>(geometry, x, y);
}

WHORL_SIMD_CLONES
void average_unpool_plane(const PoolGeometry& geometry, const float* dy, float* dx, bool add) {
  geometry.block == 16 ? average_unpool_body<16>(geometry, dy, dx, add)
                       : average_unpool_body<8>(geometry, dy, dx, add);
}

}  // namespace whorl::nn::cpu
