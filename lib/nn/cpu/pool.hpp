// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

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

/// The maximum of every window, and which of its cells it was (row by row, the first one of equals).
void max_pool_plane(const PoolGeometry& geometry, const float* x, float* y, std::uint16_t* winner);
/// The gradient: dy at the winners, summed where windows overlap, and 0 elsewhere; added to dx, or written
/// over it.
void max_unpool_plane(const PoolGeometry& geometry, const float* dy, const std::uint16_t* winner, float* dx,
                      bool add);

void average_pool_plane(const PoolGeometry& geometry, const float* x, float* y);
void average_unpool_plane(const PoolGeometry& geometry, const float* dy, float* dx, bool add);

}  // namespace whorl::nn::cpu
