// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

#include "nn/cpu/plane.hpp"
#include "nn/layer.hpp"

namespace whorl::nn::cpu {

/// Activations of a shard in oneDNN's nChw16c (or nChw8c) layout: [image][channel block][y][x][lane], where a
/// lane is one of `block` neighbouring channels. Channels are padded up to whole blocks; the padded lanes
/// hold zeros.
struct BlockedShape {
  int images = 0;
  Shape sample;
  int block = 16;

  int channel_blocks() const { return (sample.channels + block - 1) / block; }
  int padded_channels() const { return channel_blocks() * block; }
  int pixels() const { return sample.height * sample.width; }
  /// One image's one channel block: what the kernels work on at a time, mostly inside the first cache levels.
  std::size_t plane_floats() const { return std::size_t(pixels()) * block; }
  int planes() const { return images * channel_blocks(); }
  std::size_t floats() const { return planes() * plane_floats(); }
  std::size_t bytes() const { return floats() * sizeof(float); }
};

inline PlaneExtent extent_of(const BlockedShape& shape) {
  return {shape.sample.height, shape.sample.width, shape.block};
}
/// Plane `number` of a tensor, counted image by image.
inline Plane plane_of(const BlockedShape& shape, float* tensor, int number) {
  return {tensor + number * shape.plane_floats(), shape.sample.width};
}

template <typename Work>
void for_each_plane(int planes, const Work& work) {
  for (int plane = 0; plane < planes; ++plane) work(plane);
}

}  // namespace whorl::nn::cpu
