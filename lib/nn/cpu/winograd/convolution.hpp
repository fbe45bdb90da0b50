// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <functional>

#include "nn/cpu/convolution_pass.hpp"
#include "nn/cpu/memory_plan.hpp"
#include "nn/cpu/plane.hpp"
#include "nn/cpu/winograd/tiling.hpp"

namespace whorl::nn::cpu::winograd {

/// What a convolution asks its surroundings for, one plane of one image at a time, while that plane is in
/// cache: so the passes before and behind a convolution (activation, normalisation, pooling, statistics) need
/// no pass over memory of their own. `channel_block` counts blocks of channels.
using ReadPlane = std::function<void(int image, int channel_block, const Plane& to)>;
using WritePlane = std::function<void(int image, int channel_block, const ConstPlane& from)>;

/// A 3x3 convolution of stride 1 and padding 1 by Winograd's algorithm, and as its backward passes the
/// transposes of the same linear maps, tile by tile:
///     forward   V = B^T d B,  M_p = V_p U_p for every point p,  y = A^T M A
///     backward  M'= A dy A^T, dU_p += V_p^T M'_p, dV_p = M'_p U_p^T, dx += B dV B^T, and once dw = G^T dU G.
/// A point's matrix has a row per tile, so the work is 2 (m + 2)^2 tiles C K FLOP for each of the three,
/// against 18 pixels C K of the plain loop: 4 times less for m = 4, 5 times for m = 6. Tiles go in runs that
/// fit in cache. One thread runs a pass; a run of tiles never depends on another but for the order of sums,
/// so results are the same to the bit wherever a shard is computed.
class Convolution {
 public:
  /// Whether there is such a convolution at all.
  static bool takes(const ConvolutionShape& shape);

  /// Both passes compute with the first `used_height` rows and `used_width` columns of the output only (a
  /// pooling may leave some out). Forward and backward passes may have tiles of different sizes, the m of
  /// F(m x m, 3 x 3) from 3 to 6: the two maps then are each other's transposes but for rounding.
  Convolution(const ConvolutionShape& shape, TileSizes tiles, int used_height, int used_width);

  std::size_t scratch_bytes() const;
  /// Of the transformed filters.
  std::size_t bytes() const { return filters_.bytes() + adjoint_filters_.bytes(); }

  /// From canonical weights (filters, channels, 3, 3).
  void set_weights(const float* weights);
  /// `scratch` has scratch_bytes(). `write` gets planes of which only the used part holds anything.
  void forward(const ReadPlane& read, const WritePlane& write, std::byte* scratch) const;
  /// Adds to `weight_gradient` (canonical; null: not needed); `write_input_gradient` may be empty: not
  /// needed. `read` is asked again for the planes of the input.
  void backward(const ReadPlane& read, const ReadPlane& read_output_gradient,
                const WritePlane& write_input_gradient, float* weight_gradient, std::byte* scratch) const;

 private:
  struct Scratch;
  using Run = Tiling::Run;

  int wished_tiles(const Tiling& tiling) const;
  std::size_t filter_gradient_point() const;
  void transform_input(const Tiling& tiling, const Run& run, const ReadPlane& read,
                       const Scratch& scratch) const;
  void multiply_filters(const Run& run, int first_filter, int filters, const Scratch& scratch) const;
  void transform_output_gradient(const Run& run, const ReadPlane& read, const Scratch& scratch) const;
  void add_input_gradient(const Run& run, const WritePlane& write, const Scratch& scratch) const;
  void add_weight_gradient(const float* points, float* gradient) const;

  ConvolutionShape shape_;
  Tiling forward_, backward_;
  int inputs_, filters_count_;  ///< padded to whole blocks
  HugeBuffer filters_;          ///< U of the forward pass: per point (inputs, filters) in panels
  HugeBuffer adjoint_filters_;  ///< U^T of the backward pass: per point (filters, inputs) in panels
};

}  // namespace whorl::nn::cpu::winograd
