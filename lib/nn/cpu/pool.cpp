// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/pool.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nn/cpu/pool.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include <algorithm>
#include <limits>

#include "nn/cpu/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace whorl::nn::cpu::HWY_NAMESPACE {

using Integers = hn::RebindToSigned<Tag>;
using Shorts = hn::Rebind<std::uint16_t, Tag>;

/// Cells [first, last) of an axis of `length` that a window covers; its own cell 0 lies at `origin`, perhaps
/// in the padding.
struct Cells {
  int origin, first, last;

  Cells(const PoolGeometry& geometry, int output, int length)
      : origin(output * geometry.stride - geometry.padding),
        first(std::max(origin, 0)),
        last(std::min(origin + geometry.window, length)) {}
};

/// work(output pixel, number of the cell in its window, offset of the cell's pixel in x) after start(output
/// pixel) and before end(output pixel), for all windows.
template <class Start, class Work, class End>
HWY_INLINE void for_each_window(const PoolGeometry& geometry, int x_row, const Start& start, const Work& work,
                                const End& end) {
  for (int out_y = 0, out = 0; out_y < geometry.output_height; ++out_y) {
    const Cells rows(geometry, out_y, geometry.input_height);
    for (int out_x = 0; out_x < geometry.output_width; ++out_x, ++out) {
      const Cells columns(geometry, out_x, geometry.input_width);
      start(out);
      for (int row = rows.first; row < rows.last; ++row)
        for (int column = columns.first; column < columns.last; ++column)
          work((row - rows.origin) * geometry.window + column - columns.origin,
               (std::size_t(row) * x_row + column) * geometry.block);
      end(out);
    }
  }
}

void max_pool_plane(const PoolGeometry& geometry, const ConstPlane& x, float* y, std::uint16_t* winner) {
  for (int lane = 0; lane < geometry.block; lane += lanes) {
    Vector best = hn::Zero(Tag());
    hn::Vec<Integers> best_cell = hn::Zero(Integers());
    for_each_window(
        geometry, x.row_pixels,
        [&](int) HWY_ATTR {
          best = hn::Set(Tag(), -std::numeric_limits<float>::infinity());
          best_cell = hn::Zero(Integers());
        },
        [&](int cell, std::size_t at) HWY_ATTR {
          const Vector value = load(x.data + at + lane);
          best_cell = hn::IfThenElse(hn::RebindMask(Integers(), hn::Gt(value, best)),
                                     hn::Set(Integers(), cell), best_cell);
          best = hn::Max(value, best);
        },
        [&](int out) HWY_ATTR {
          store(best, y + std::size_t(out) * geometry.block + lane);
          hn::StoreU(hn::DemoteTo(Shorts(), best_cell), Shorts(),
                     winner + std::size_t(out) * geometry.block + lane);
        });
  }
}

void max_unpool_plane(const PoolGeometry& geometry, const float* dy, const std::uint16_t* winner,
                      const Plane& dx) {
  for (int lane = 0; lane < geometry.block; lane += lanes) {
    Vector gradient = hn::Zero(Tag());
    hn::Vec<Integers> best_cell = hn::Zero(Integers());
    for_each_window(
        geometry, dx.row_pixels,
        [&](int out) HWY_ATTR {
          gradient = load(dy + std::size_t(out) * geometry.block + lane);
          best_cell = hn::PromoteTo(Integers(),
                                    hn::LoadU(Shorts(), winner + std::size_t(out) * geometry.block + lane));
        },
        [&](int cell, std::size_t at) HWY_ATTR {
          float* target = dx.data + at + lane;
          const auto is_best = hn::RebindMask(Tag(), hn::Eq(best_cell, hn::Set(Integers(), cell)));
          store(hn::Add(load(target), hn::IfThenElseZero(is_best, gradient)), target);
        },
        [](int) {});
  }
}

void average_pool_plane(const PoolGeometry& geometry, const float* x, float* y) {
  const Vector factor = hn::Set(Tag(), 1.0F / static_cast<float>(geometry.window * geometry.window));
  for (int lane = 0; lane < geometry.block; lane += lanes) {
    Vector sum = hn::Zero(Tag());
    for_each_window(
        geometry, geometry.input_width, [&](int) HWY_ATTR { sum = hn::Zero(Tag()); },
        [&](int, std::size_t at) HWY_ATTR { sum = hn::Add(sum, load(x + at + lane)); },
        [&](int out) HWY_ATTR { store(hn::Mul(sum, factor), y + std::size_t(out) * geometry.block + lane); });
  }
}

void average_unpool_plane(const PoolGeometry& geometry, const float* dy, float* dx) {
  const Vector factor = hn::Set(Tag(), 1.0F / static_cast<float>(geometry.window * geometry.window));
  for (int lane = 0; lane < geometry.block; lane += lanes) {
    Vector share = hn::Zero(Tag());
    for_each_window(
        geometry, geometry.input_width,
        [&](int out)
            HWY_ATTR { share = hn::Mul(load(dy + std::size_t(out) * geometry.block + lane), factor); },
        [&](int, std::size_t at) HWY_ATTR { store(hn::Add(load(dx + at + lane), share), dx + at + lane); },
        [](int) {});
  }
}

}  // namespace whorl::nn::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl::nn::cpu {

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

PlaneExtent covered(const PoolGeometry& geometry) {
  const auto length = [&](int outputs, int inputs) {
    return std::min(inputs, (outputs - 1) * geometry.stride + geometry.window - geometry.padding);
  };
  return {length(geometry.output_height, geometry.input_height),
          length(geometry.output_width, geometry.input_width), geometry.block};
}

HWY_EXPORT(max_pool_plane);
HWY_EXPORT(max_unpool_plane);
HWY_EXPORT(average_pool_plane);
HWY_EXPORT(average_unpool_plane);

void max_pool_plane(const PoolGeometry& geometry, const ConstPlane& x, float* y, std::uint16_t* winner) {
  HWY_DYNAMIC_DISPATCH(max_pool_plane)(geometry, x, y, winner);
}

void max_unpool_plane(const PoolGeometry& geometry, const float* dy, const std::uint16_t* winner,
                      const Plane& dx) {
  HWY_DYNAMIC_DISPATCH(max_unpool_plane)(geometry, dy, winner, dx);
}

void average_pool_plane(const PoolGeometry& geometry, const float* x, float* y) {
  HWY_DYNAMIC_DISPATCH(average_pool_plane)(geometry, x, y);
}

void average_unpool_plane(const PoolGeometry& geometry, const float* dy, float* dx) {
  HWY_DYNAMIC_DISPATCH(average_unpool_plane)(geometry, dy, dx);
}

}  // namespace whorl::nn::cpu
#endif
