// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace whorl::nn::cpu::winograd {

/// Transforms between planes (one image's one channel block: [y][x][block]) and *points*: numbers
/// [point][tile][channel] on which a convolution is one matrix product per point. F(m x m, 3 x 3) has (m +
/// 2)^2 points; m is one of tile_sizes.

/// Where one channel block of a run of tiles lies among the points: point p of tile t at data[p * point + t *
/// tile].
struct PointBlock {
  float* data = nullptr;
  std::size_t point = 0, tile = 0;  ///< strides, in floats
};

/// Rows of tiles of a plane. Tile (ty, tx) begins at pixel (m ty, m tx) of `plane`.
struct TileRows {
  int m = 4;
  int block = 16;
  int tiles_across = 1;
  int first = 0, last = 1;     ///< rows of tiles [first, last)
  std::size_t row_pixels = 0;  ///< pixels from one row of the plane to the next
};

/// V = B^T d B of windows of m + 2 pixels, which overlap by two: the plane has one pixel of padding before
/// its first.
void input_to_points(const TileRows& tiles, const float* padded_plane, const PointBlock& to);
/// Adds the adjoint, B v B^T, to the padded plane.
void add_points_to_input_gradient(const TileRows& tiles, const PointBlock& from, float* padded_plane);
/// y = A^T M A.
void points_to_output(const TileRows& tiles, const PointBlock& from, float* plane);
/// The adjoint, A dy A^T.
void output_gradient_to_points(const TileRows& tiles, const float* plane, const PointBlock& to);

/// U = G g G^T for `block` filters and `block` channels of canonical weights; numbers [channel][tap][filter]
/// in, and with `point` and `channel` as strides out.
void filter_to_points(int m, int block, int channels, const float* taps, float* points, std::size_t point,
                      std::size_t channel);
/// The adjoint, G^T u G.
void points_to_filter_gradient(int m, int block, int channels, const float* points, std::size_t point,
                               std::size_t channel, float* taps);

}  // namespace whorl::nn::cpu::winograd
