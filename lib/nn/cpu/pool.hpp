// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "nn/cpu/plane.hpp"
#include "nn/layer.hpp"

namespace whorl::nn::cpu {

/// A pooling of one plane of a blocked tensor from input to output extents.
struct PoolGeometry {
  int input_height = 1, input_width = 1;
  int output_height = 1, output_width = 1;
  int window = 2, stride = 2, padding = 0;
  int block = 16;
};

/// Extents from the layer before and after the pooling.
PoolGeometry pool_geometry(const Pool& pool, const Shape& input, const Shape& output, int block);

/// The part of the input that windows cover.
PlaneExtent covered(const PoolGeometry& geometry);

/// The maximum of every window, and which of its cells it was (row by row, the first one of equals); y and
/// winner without gaps.
void max_pool_plane(const PoolGeometry& geometry, const ConstPlane& x, float* y, std::uint16_t* winner);
/// Adds the gradient to dx: dy at the winners.
void max_unpool_plane(const PoolGeometry& geometry, const float* dy, const std::uint16_t* winner,
                      const Plane& dx);

void average_pool_plane(const PoolGeometry& geometry, const float* x, float* y);
/// Adds the gradient to dx.
void average_unpool_plane(const PoolGeometry& geometry, const float* dy, float* dx);

}  // namespace whorl::nn::cpu
