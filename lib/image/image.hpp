// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace whorl::image {

/// 8-bit RGB picture, rows top to bottom. Shape (height, width, 3).
struct Image {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;

  Image() = default;
  Image(int rows, int columns) { reshape(rows, columns); }
  /// The pixels are then anything. Keeps memory that is there.
  void reshape(int rows, int columns) {
    height = rows;
    width = columns;
    pixels.resize(std::size_t(rows) * columns * 3);
  }
  std::uint8_t* at(int y, int x) { return &pixels[(std::size_t(y) * width + x) * 3]; }
  const std::uint8_t* at(int y, int x) const { return &pixels[(std::size_t(y) * width + x) * 3]; }
};

/// A rectangle of whole pixels inside a picture.
struct Region {
  int top = 0, left = 0, height = 0, width = 0;
  bool operator==(const Region&) const = default;
};

}  // namespace whorl::image
