// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <dnnl.hpp>
#include <span>

#include "nn/network.hpp"

namespace whorl::nn::cpu {

/// Turns uint8 NHWC pictures into normalised floats in the layout that the first layer wants.
class PictureReader {
 public:
  /// `layout`: of a shard, plain or blocked by channels.
  PictureReader(const Network& network, const dnnl::memory::desc& layout);
  std::size_t bytes() const { return bytes_; }
  /// Pictures of the shard that are not in `pictures` become zero.
  void read(std::span<const std::uint8_t> pictures, float* to) const;

 private:
  void read_picture(const std::uint8_t* picture, float* to) const;

  Shape shape_;
  int images_;
  std::size_t bytes_;
  std::size_t image_stride_, row_stride_, column_stride_;
  std::array<std::size_t, 3> channel_offsets_{};
  std::array<std::array<float, 256>, 3> values_{};  ///< normalised, by channel and pixel value
};

}  // namespace whorl::nn::cpu
