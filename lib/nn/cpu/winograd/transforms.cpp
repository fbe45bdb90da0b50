// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/winograd/transforms.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nn/cpu/winograd/transforms.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include <stdexcept>
#include <type_traits>

#include "nn/cpu/lanes-inl.hpp"
#include "nn/cpu/winograd/tile_transform-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace whorl::nn::cpu::winograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using cpu::HWY_NAMESPACE::lanes;
using cpu::HWY_NAMESPACE::load;
using cpu::HWY_NAMESPACE::store;
using cpu::HWY_NAMESPACE::Tag;
using cpu::HWY_NAMESPACE::Vector;

template <int m>
struct Constants {
  static constexpr Matrices<m> matrices{};
  static constexpr auto input = matrices.input, input_adjoint = input.transposed();
  static constexpr auto output = matrices.output;
  static constexpr auto output_adjoint = output.transposed();
  static constexpr auto filter = matrices.filter;
  static constexpr auto filter_adjoint = filter.transposed();
};

/// work(offset in the plane, tile number, lane) for every tile and group of lanes.
template <class Work>
HWY_INLINE void for_each_tile(const TileRows& tiles, const Work& work) {
  for (int lane = 0; lane < tiles.block; lane += lanes)
    for (int ty = tiles.first, tile = 0; ty < tiles.last; ++ty)
      for (int tx = 0; tx < tiles.tiles_across; ++tx, ++tile)
        work((std::size_t(ty) * tiles.m * tiles.row_pixels + std::size_t(tx) * tiles.m) * tiles.block + lane,
             tile, lane);
}

template <int m>
void input_of(const TileRows& tiles, const float* plane, const PointBlock& to) {
  const std::size_t row = tiles.row_pixels * tiles.block, pixel = tiles.block;
  for_each_tile(tiles, [&](std::size_t at, int tile, int lane) HWY_ATTR {
    const float* window = plane + at;
    float* points = to.data + tile * to.tile + lane;
    transform_tile<Constants<m>::input, m + 2, m + 2>(
        Tag(), [&](int y, int x) HWY_ATTR { return load(window + y * row + x * pixel); },
        [&](int y, int x, Vector v) HWY_ATTR { store(v, points + (y * (m + 2) + x) * to.point); });
  });
}

template <int m>
void input_gradient_of(const TileRows& tiles, const PointBlock& from, float* plane) {
  const std::size_t row = tiles.row_pixels * tiles.block, pixel = tiles.block;
  for_each_tile(tiles, [&](std::size_t at, int tile, int lane) HWY_ATTR {
    float* window = plane + at;
    const float* points = from.data + tile * from.tile + lane;
    transform_tile<Constants<m>::input_adjoint, m + 2, m + 2>(
        Tag(), [&](int y, int x) HWY_ATTR { return load(points + (y * (m + 2) + x) * from.point); },
        [&](int y, int x, Vector v) HWY_ATTR {
          float* target = window + y * row + x * pixel;
          store(hn::Add(load(target), v), target);
        });
  });
}

template <int m>
void output_of(const TileRows& tiles, const PointBlock& from, float* plane) {
  const std::size_t row = tiles.row_pixels * tiles.block, pixel = tiles.block;
  for_each_tile(tiles, [&](std::size_t at, int tile, int lane) HWY_ATTR {
    float* outputs = plane + at;
    const float* points = from.data + tile * from.tile + lane;
    transform_tile<Constants<m>::output, m, m + 2>(
        Tag(), [&](int y, int x) HWY_ATTR { return load(points + (y * (m + 2) + x) * from.point); },
        [&](int y, int x, Vector v) HWY_ATTR { store(v, outputs + y * row + x * pixel); });
  });
}

template <int m>
void output_gradient_of(const TileRows& tiles, const float* plane, const PointBlock& to) {
  const std::size_t row = tiles.row_pixels * tiles.block, pixel = tiles.block;
  for_each_tile(tiles, [&](std::size_t at, int tile, int lane) HWY_ATTR {
    const float* gradients = plane + at;
    float* points = to.data + tile * to.tile + lane;
    transform_tile<Constants<m>::output_adjoint, m + 2, m>(
        Tag(), [&](int y, int x) HWY_ATTR { return load(gradients + y * row + x * pixel); },
        [&](int y, int x, Vector v) HWY_ATTR { store(v, points + (y * (m + 2) + x) * to.point); });
  });
}

template <int m, typename Store>
void filter_with(int block, int channels, const float* taps, float* points, std::size_t point,
                 std::size_t channel, const Store& store_point) {
  for (int c = 0; c < channels; ++c)
    for (int lane = 0; lane < block; lane += lanes) {
      const float* g = taps + c * 9 * block + lane;
      float* u = points + c * channel + lane;
      transform_tile<Constants<m>::filter, m + 2, 3>(
          Tag(), [&](int y, int x) HWY_ATTR { return load(g + (y * 3 + x) * block); },
          [&](int y, int x, Vector v) HWY_ATTR { store_point(v, u + (y * (m + 2) + x) * point); });
    }
}

/// What will not stay in cache goes past it: a store would first read the line it overwrites.
template <int m>
void filter_of(int block, int channels, const float* taps, float* points, std::size_t point,
               std::size_t channel) {
  constexpr std::size_t cached_bytes = std::size_t{2} << 20;
  if ((m + 2) * (m + 2) * point * sizeof(float) > cached_bytes)
    filter_with<m>(block, channels, taps, points, point, channel,
                   [](Vector v, float* to) HWY_ATTR { hn::Stream(v, Tag(), to); });
  else
    filter_with<m>(block, channels, taps, points, point, channel,
                   [](Vector v, float* to) HWY_ATTR { store(v, to); });
}

/// Each point is a stream through memory of its own, and there are more of them than hardware prefetches.
template <int m>
void filter_gradient_of(int block, int channels, const float* points, std::size_t point, std::size_t channel,
                        float* taps) {
  for (int c = 0; c < channels; ++c)
    for (int lane = 0; lane < block; lane += lanes) {
      const float* u = points + c * channel + lane;
      float* g = taps + c * 9 * block + lane;
      transform_tile<Constants<m>::filter_adjoint, 3, m + 2>(
          Tag(),
          [&](int y, int x) HWY_ATTR {
            const float* from = u + (y * (m + 2) + x) * point;
            __builtin_prefetch(from + channel);
            return load(from);
          },
          [&](int y, int x, Vector v) HWY_ATTR { store(v, g + (y * 3 + x) * block); });
    }
}

/// work(m as a constant).
template <class Work>
void with_tile(int m, const Work& work) {
  switch (m) {
    case 3:
      return work(std::integral_constant<int, 3>());
    case 4:
      return work(std::integral_constant<int, 4>());
    case 5:
      return work(std::integral_constant<int, 5>());
    case 6:
      return work(std::integral_constant<int, 6>());
    default:
      throw std::invalid_argument("F(m x m, 3 x 3) is there for m from 3 to 6");
  }
}

void input_to_points(const TileRows& tiles, const float* padded_plane, const PointBlock& to) {
  with_tile(tiles.m, [&](auto m) { input_of<m>(tiles, padded_plane, to); });
}
void add_points_to_input_gradient(const TileRows& tiles, const PointBlock& from, float* padded_plane) {
  with_tile(tiles.m, [&](auto m) { input_gradient_of<m>(tiles, from, padded_plane); });
}
void points_to_output(const TileRows& tiles, const PointBlock& from, float* plane) {
  with_tile(tiles.m, [&](auto m) { output_of<m>(tiles, from, plane); });
}
void output_gradient_to_points(const TileRows& tiles, const float* plane, const PointBlock& to) {
  with_tile(tiles.m, [&](auto m) { output_gradient_of<m>(tiles, plane, to); });
}
void filter_to_points(int tile, int block, int channels, const float* taps, float* points, std::size_t point,
                      std::size_t channel) {
  with_tile(tile, [&](auto m) { filter_of<m>(block, channels, taps, points, point, channel); });
}
void points_to_filter_gradient(int tile, int block, int channels, const float* points, std::size_t point,
                               std::size_t channel, float* taps) {
  with_tile(tile, [&](auto m) { filter_gradient_of<m>(block, channels, points, point, channel, taps); });
}

}  // namespace whorl::nn::cpu::winograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl::nn::cpu::winograd {

HWY_EXPORT(input_to_points);
HWY_EXPORT(add_points_to_input_gradient);
HWY_EXPORT(points_to_output);
HWY_EXPORT(output_gradient_to_points);
HWY_EXPORT(filter_to_points);
HWY_EXPORT(points_to_filter_gradient);

void input_to_points(const TileRows& tiles, const float* padded_plane, const PointBlock& to) {
  HWY_DYNAMIC_DISPATCH(input_to_points)(tiles, padded_plane, to);
}
void add_points_to_input_gradient(const TileRows& tiles, const PointBlock& from, float* padded_plane) {
  HWY_DYNAMIC_DISPATCH(add_points_to_input_gradient)(tiles, from, padded_plane);
}
void points_to_output(const TileRows& tiles, const PointBlock& from, float* plane) {
  HWY_DYNAMIC_DISPATCH(points_to_output)(tiles, from, plane);
}
void output_gradient_to_points(const TileRows& tiles, const float* plane, const PointBlock& to) {
  HWY_DYNAMIC_DISPATCH(output_gradient_to_points)(tiles, plane, to);
}
void filter_to_points(int m, int block, int channels, const float* taps, float* points, std::size_t point,
                      std::size_t channel) {
  HWY_DYNAMIC_DISPATCH(filter_to_points)(m, block, channels, taps, points, point, channel);
}
void points_to_filter_gradient(int m, int block, int channels, const float* points, std::size_t point,
                               std::size_t channel, float* taps) {
  HWY_DYNAMIC_DISPATCH(points_to_filter_gradient)(m, block, channels, points, point, channel, taps);
}

}  // namespace whorl::nn::cpu::winograd
#endif
