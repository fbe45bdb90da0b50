// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace whorl::nn::cpu {

/// One image's one channel block, [y][x][channel]. Rows may lie further apart than they are long, as inside a
/// padded plane.
struct Plane {
  float* data = nullptr;
  int row_pixels = 0;  ///< from one row to the next
};

struct ConstPlane {
  const float* data = nullptr;
  int row_pixels = 0;

  ConstPlane() = default;
  ConstPlane(const float* first, int row) : data(first), row_pixels(row) {}
  ConstPlane(const Plane& plane) : data(plane.data), row_pixels(plane.row_pixels) {}
};

/// What a kernel covers of its planes: a plane without gaps may as well be one long row.
struct PlaneExtent {
  int rows = 1, columns = 0;  ///< pixels
  int block = 16;             ///< channels
};

}  // namespace whorl::nn::cpu
