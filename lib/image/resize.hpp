// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "image/image.hpp"

namespace whorl::image {

/// A window in the continuous coordinates of the source picture, in pixels.
struct Window {
  double top = 0, left = 0, height = 0, width = 0;
};

/// Resamples `window` of `source` to (height, width) with a triangle filter whose support grows with the
/// reduction (antialiased), within +-1 of Pillow's `resize(..., BILINEAR, box=window)`. Writes height*width*3
/// bytes to `out`.
void resize(const Image& source, const Window& window, int height, int width, std::uint8_t* out);

/// The window that a resize of the shorter side to `size` followed by a centre crop of size x size looks at,
/// as torchvision's Resize + CenterCrop defines it (long side truncated to whole pixels, crop offset
/// rounded).
Window centre_crop_window(int height, int width, int size);

/// Shorter side to `size`, centre crop: writes size*size*3 bytes to `out`.
void resize_and_crop(const Image& source, int size, std::uint8_t* out);

/// A resampling prepared for pictures of one size: filter taps and weights per axis.
class Resampler {
 public:
  /// From `window` of a picture of (source_height, source_width) to (height, width).
  Resampler(int source_height, int source_width, const Window& window, int height, int width);

  /// The part of the source that the filter reads: a caller needs to decode no more.
  Region needed() const;
  /// Working memory, best kept from one picture to the next.
  struct Scratch {
    std::vector<std::int16_t> source, rows, strip, filtered;
    std::vector<std::uint8_t> bytes;
    std::vector<int> first;
  };
  /// `part` holds the pixels of `part_region` of the source, which covers needed(). Writes height*width*3
  /// bytes to `out`.
  void run(const Image& part, const Region& part_region, Scratch& scratch, std::uint8_t* out) const;

 private:
  /// Output i is the sum over k < taps of weights[i*taps + k] * source[first[i] + k].
  struct Axis {
    int taps = 0;
    std::vector<int> first;
    std::vector<std::int16_t> weights;  ///< with 15 bits below the point
  };
  static Axis make_axis(int source_size, double start, double length, int size);

  Axis rows_, columns_;
};

}  // namespace whorl::image
