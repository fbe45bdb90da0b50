// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

#include "image/image.hpp"

namespace whorl::image {

/// Whether the content of an APP1 segment is EXIF (it may be XMP).
bool is_exif(std::span<const std::uint8_t> segment);

/// How the stored picture must be turned to be upright: the value of EXIF tag 0x0112 (CIPA DC-008,
/// "Orientation"), 1..8. The stored picture is transposed for 5..8, after which its rows and columns may run
/// backwards.
class Orientation {
 public:
  Orientation() = default;
  /// Anything but 1..8 means upright, as other readers take it.
  explicit Orientation(unsigned exif_value);
  /// From the content of an APP1 segment that is_exif; upright where it does not say, or is damaged.
  static Orientation from_exif(std::span<const std::uint8_t> segment);

  bool swaps_sides() const { return transpose_; }
  bool is_upright() const { return !transpose_ && !flip_rows_ && !flip_columns_; }
  /// The part of the stored picture that becomes `region` of the upright one, which has (height, width); and
  /// back.
  Region to_stored(Region region, int height, int width) const;
  Region to_upright(Region region, int height, int width) const;
  /// The upright picture.
  Image apply(Image stored) const;

 private:
  void flip(Region& region, int height, int width) const;
  void transpose(Region& region) const;

  bool transpose_ = false;
  bool flip_rows_ = false;     ///< of the upright picture: its rows run from the bottom up in the stored one
  bool flip_columns_ = false;  ///< likewise
};

}  // namespace whorl::image
