// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

struct CUstream_st;

/// What the launch functions of this folder share. They are plain C++: a pointer is to GPU memory unless it
/// says otherwise, a launch only queues work on its stream, never allocates or waits, and may be captured
/// into a CUDA graph. They throw Error when the launch itself is refused.
///
/// Feature maps are NHWC in one of three storage types, arithmetic is float. Channels are a multiple of 8 and
/// at most 2048, and every tensor starts at a multiple of 16 bytes. All sums have a fixed order: equal input
/// gives equal bits.
namespace whorl::nn::cuda {

using Stream = CUstream_st*;  ///< cudaStream_t

enum class Storage { float32, float16, bfloat16 };
constexpr std::size_t bytes_of(Storage storage) {
  return storage == Storage::float32 ? 4 : 2;
}

/// Of feature maps (samples, height, width, channels).
struct Extent {
  int samples = 0, height = 1, width = 1, channels = 0;
  constexpr std::int64_t positions() const { return std::int64_t{samples} * height * width; }
  constexpr std::int64_t count() const { return positions() * channels; }
};

enum class Curve { identity, relu, gelu };  ///< gelu: x * Phi(x), by erf

/// (x - mean) * factor + shift, (channels) each: a batch-norm, or a bias where only shift is given.
struct Affine {
  const float* mean = nullptr;    ///< null: 0
  const float* factor = nullptr;  ///< null: 1
  const float* shift = nullptr;   ///< null: 0
};

}  // namespace whorl::nn::cuda
