// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/bodies/draws.hpp"

#include "nn/cuda/kernels/launch.hpp"

namespace whorl::nn::cuda {

void draw_views(const EpochDraws& draws, const RankBatches& batches, PictureView* views, Stream stream) {
  launch_for_each("draw_views", DrawViewsKernel{draws, batches, {views}}, batches.batches * batches.samples,
                  stream);
}

}  // namespace whorl::nn::cuda
