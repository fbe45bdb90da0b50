// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "nn/cpu/convolution_pass.hpp"
#include "nn/cpu/memory_plan.hpp"
#include "nn/cpu/plane.hpp"
#include "nn/cpu/winograd/gemm.hpp"
#include "nn/cpu/winograd/transforms.hpp"

namespace whorl::nn::cpu::winograd {

/// What a convolution asks its surroundings for, one plane of one image at a time, while that plane is in
/// cache: so the passes before and behind a convolution (activation, normalisation, pooling, statistics) need
/// no pass over memory of their own. `channel_block` counts blocks of channels.
using ReadPlane = std::function<void(int image, int channel_block, const Plane& to)>;
using WritePlane = std::function<void(int image, int channel_block, const ConstPlane& from)>;

/// A 3x3 convolution of stride 1 and padding 1 by Winograd's algorithm, and as its backward passes the exact
/// transpose of the same linear maps on the same tiles:
///     forward   V = B^T d B,  M_p = V_p U_p for every point p,  y = A^T M A
///     backward  M'= A dy A^T, dU_p += V_p^T M'_p, dV_p = M'_p U_p^T, dx += B dV B^T, and once dw = G^T dU G.
/// A point's matrix has a row per tile, so the work is 2 (m + 2)^2 tiles C K FLOP for each of the three,
/// against 18 pixels C K of the plain loop: 4 times less for m = 4. Tiles go in runs that fit in cache. One
/// thread runs a pass; a run of tiles never depends on another but for the order of sums, so results are the
/// same to the bit wherever a shard is computed.
class Convolution {
 public:
  /// Whether there is such a convolution at all; `m` of F(m x m, 3 x 3) is 3 or 4.
  static bool takes(const ConvolutionShape& shape);
  /// Multiplications per pair of channels for outputs of height x width, and the m with the least.
  static int products(int m, int height, int width);
  static int best_tile(int height, int width);

  /// Computes only the first `used_height` rows and `used_width` columns of its output (a pooling may leave
  /// some out).
  Convolution(const ConvolutionShape& shape, int m, int used_height, int used_width);

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
  /// Tiles that are worked on together: some rows of tiles of one image, or some whole images.
  struct Run {
    int first_image, images, first_row, last_row;
    int tiles;
  };
  struct Scratch;
  struct Blocking {
    int tiles = 16;    ///< wished in a run
    int filters = 64;  ///< whose points are alive at a time
  };

  template <typename Work>
  void for_each_run(int wished_tiles, const Work& work) const;
  int tiles_per_image() const { return tiles_down_ * tiles_across_; }
  int largest_run(int wished_tiles) const;
  TileRows tile_rows(int first, int last, std::size_t row_pixels) const;

  void transform_input(const Run& run, const ReadPlane& read, const Scratch& scratch) const;
  void transform_output_gradient(const Run& run, const ReadPlane& read, const Scratch& scratch) const;
  void add_input_gradient(const Run& run, const WritePlane& write, const Scratch& scratch) const;
  void add_weight_gradient(const float* points, float* gradient) const;

  ConvolutionShape shape_;
  int m_, points_;
  int inputs_, filters_count_;  ///< padded to whole blocks
  int tiles_down_, tiles_across_;
  std::size_t padded_row_, padded_plane_;  ///< pixels of the input with its padding, up to whole tiles
  std::size_t output_row_, output_plane_;  ///< pixels of the output, up to whole tiles
  Blocking forward_, backward_;
  HugeBuffer filters_;          ///< U: per point (inputs, filters) in panels
  HugeBuffer adjoint_filters_;  ///< U^T: per point (filters, inputs) in panels
};

}  // namespace whorl::nn::cpu::winograd
