// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/bodies/pictures.hpp"

#include "nn/cuda/kernels/launch.hpp"
#include "nn/cuda/kernels/views.hpp"

namespace whorl::nn::cuda {

void gather_pictures(Storage storage, const PictureGather& gather, const Batch& batch, void* output,
                     Stream stream) {
  Array<float, 3> origin, factor;
  for (int c = 0; c < 3; ++c) {
    origin.values[c] = gather.mean[c] * 255;
    factor.values[c] = 1 / (gather.deviation[c] * 255);
  }
  const std::int64_t pixels = std::int64_t{batch.samples} * gather.size * gather.size;
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    launch_for_each("gather_pictures",
                    GatherPictures<T>{in<std::uint8_t>(gather.pixels), views(batch), gather.size,
                                      gather.channels, origin, factor, out<T>(output)},
                    pixels, stream);
  });
}

}  // namespace whorl::nn::cuda
