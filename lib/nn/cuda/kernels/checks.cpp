// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/checks.hpp"

#include "base/error.hpp"

namespace whorl::nn::cuda {

void check_grid(const char* kernel, std::int64_t blocks) {
  require(blocks > 0 && blocks < std::int64_t{1} << 31, "CUDA kernel {}: a grid of {} blocks is not possible",
          kernel, blocks);
}

void check_maps(const char* kernel, const Extent& extent) {
  require(extent.channels > 0 && extent.channels % 8 == 0 && extent.channels <= 2048,
          "CUDA kernel {}: maps have {} channels, but must have a multiple of 8 and at most 2048", kernel,
          extent.channels);
  require(
      extent.positions() > 0 && extent.positions() < std::int64_t{1} << 30,
      "CUDA kernel {}: {} samples of {} x {} are {} positions, of which there must be 1 to 2^30: train with "
      "smaller shards",
      kernel, extent.samples, extent.height, extent.width, extent.positions());
}

void check_window(const char* kernel, int window) {
  require(window <= 16,
          "CUDA kernel {}: pooling windows of {} x {}, but at most 16 x 16 are possible: train with smaller "
          "pictures",
          kernel, window, window);
}

}  // namespace whorl::nn::cuda
