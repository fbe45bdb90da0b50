// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/winograd/tiling.hpp"

namespace whorl::nn::cpu::winograd {

namespace {

/// Pixels of `side` images in a row of which the last is needed only so far as its outputs are used.
int extent(int side, int pitch, int used) {
  return (side - 1) * pitch + used;
}

}  // namespace

Tiling::Tiling(const ConvolutionShape& shape, int m_, int used_height, int used_width)
    : m(m_),
      block(shape.block),
      images(shape.images),
      row_pitch(shape.input_height + 1),
      column_pitch(shape.input_width + 1) {
  const auto lay_out = [&](int images_across) {
    side = images_across;
    sheets = divide_up(images, side * side);
    down = divide_up(extent(side, row_pitch, used_height), m);
    across = divide_up(extent(side, column_pitch, used_width), m);
    return products();
  };
  constexpr int most = 3;
  int best = 1;
  for (int candidate = 2; candidate <= most; ++candidate)
    if (lay_out(candidate) < lay_out(best)) best = candidate;
  lay_out(best);
  // A pooling may leave out so much that whole tiles end before the input does.
  padded_row = std::max(across * m, extent(side, column_pitch, shape.input_width)) + 2;
  padded_plane = padded_row * (std::max(down * m, extent(side, row_pitch, shape.input_height)) + 2);
  output_row = std::size_t(across) * m;
  output_plane = output_row * down * m;
}

int Tiling::largest_run(int wished_tiles) const {
  int most = 0;
  for_each_run(wished_tiles, [&](const Run& run) { most = std::max(most, run.tiles); });
  return most;
}

}  // namespace whorl::nn::cpu::winograd
