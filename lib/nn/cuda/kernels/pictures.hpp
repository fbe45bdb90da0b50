// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/types.hpp"

namespace whorl::nn::cuda {

/// Which picture of the dataset a sample of a batch is, and how train::shifted_view moves and mirrors it.
struct PictureView {
  std::int32_t picture = 0;
  std::int16_t dy = 0, dx = 0;  ///< pixels down and to the right, |dy|, |dx| < size
  std::int32_t mirrored = 0;    ///< 0 or 1, after the shift
  bool operator==(const PictureView&) const = default;
};

/// The samples of one batch. Sample n is views[*batch_number * samples + n].
struct Batch {
  int samples = 0;
  const PictureView* views = nullptr;          ///< null: sample n is picture n as it is
  const std::int64_t* batch_number = nullptr;  ///< null: 0
};

/// Pictures of the dataset as the first layer takes them: out[n, y, x, c] = (pixel / 255 - mean[c]) /
/// deviation[c], channels 3 and above are 0.
struct PictureGather {
  const std::uint8_t* pixels = nullptr;  ///< (pictures, size, size, 3)
  int size = 0;
  float mean[3] = {0, 0, 0}, deviation[3] = {1, 1, 1};  // of values in [0, 1]
  int channels = 8;                                     ///< of the output: 4 or 8
};
/// `output`: (samples, size, size, channels).
void gather_pictures(Storage storage, const PictureGather& gather, const Batch& batch, void* output,
                     Stream stream);

}  // namespace whorl::nn::cuda
