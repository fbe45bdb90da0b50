// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/bodies/target.hpp"
#include "nn/cuda/kernels/pictures.hpp"

// for n, y, x, c < 3:
//   (picture, dy, dx, mirrored) = views[n];  x' = mirrored ? size - 1 - x : x
//   out[n, y, x, c] = (pixels[picture, reflect(y - dy), reflect(x' - dx), c] / 255 - mean[c]) / deviation[c]
// One thread makes a pixel. Bytes: 3 read, 4 or 8 values written for each; FLOPs: 6.
namespace whorl::nn::cuda {

/// A Batch as kernels see it.
struct BatchViews {
  In<PictureView> views;
  In<std::int64_t> number;
  int samples;

  WHORL_DEVICE PictureView operator[](int sample) const {
    if (!views) return {sample, 0, 0, 0};
    return views.at((number ? number.at(0) * samples : 0) + sample);
  }
};

/// The pixel that reflection at the border pixels puts at `index`, -size < index < 2 size - 1.
WHORL_DEVICE int reflect(int index, int size) {
  if (index < 0) return -index;
  return index < size ? index : 2 * (size - 1) - index;
}

template <typename T>
struct GatherPictures {
  static constexpr int threads = 256;
  using Shared = Nothing;
  In<std::uint8_t> pixels;
  BatchViews batch;
  int size, channels;
  Array<float, 3> origin, factor;  ///< out = (pixel - origin) * factor
  Out<T> out;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const std::int64_t pixel = global_thread<GatherPictures>(block, thread);
      const int in_picture = size * size;
      if (pixel >= std::int64_t{batch.samples} * in_picture) return;
      const int sample = static_cast<int>(pixel / in_picture);
      const int place = static_cast<int>(pixel % in_picture);
      const PictureView view = batch[sample];
      const int column = view.mirrored ? size - 1 - place % size : place % size;
      const int from_y = reflect(place / size - view.dy, size);
      const int from_x = reflect(column - view.dx, size);
      const std::int64_t from = ((std::int64_t{view.picture} * size + from_y) * size + from_x) * 3;
      Pack values{};
      for (int c = 0; c < 3; ++c)
        values[c] = (static_cast<float>(pixels.at(from + c)) - origin[c]) * factor[c];
      if (channels == 8) {
        out.set(pixel * 8, values);
      } else {
        for (int c = 0; c < 4; ++c) out.set(pixel * 4 + c, values[c]);
      }
    });
  }
};

}  // namespace whorl::nn::cuda
