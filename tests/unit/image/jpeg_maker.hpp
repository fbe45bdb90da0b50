// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "image/image.hpp"

namespace whorl::image {

/// What the test JPEGs vary; written with libjpeg directly, so that the product's encoder is not needed to
/// test its decoder.
struct JpegMaker {
  enum class Colour { ycbcr, rgb, gray, cmyk, ycck };
  Colour colour = Colour::ycbcr;
  int luma_across = 2, luma_down = 2;  ///< chroma subsampling: 2, 2 is 4:2:0
  bool progressive = false;
  bool arithmetic = false;
  int restart_rows = 0;
  int quality = 100;
  unsigned exif_orientation = 0;  ///< 0: no EXIF

  /// Rows of `components()` bytes a pixel.
  std::vector<std::uint8_t> make(const std::vector<std::uint8_t>& samples, int height, int width) const;
  /// From RGB; gray takes green, CMYK takes (r, g, b, 200).
  std::vector<std::uint8_t> make(const Image& image) const;
  int components() const;
};

/// A smooth picture with edges, different in every channel and corner.
Image test_picture(int height, int width);

/// The content of an APP1 segment with an orientation tag; `little_endian` chooses "II", otherwise "MM".
std::vector<std::uint8_t> exif_segment(unsigned orientation, bool little_endian);

}  // namespace whorl::image
