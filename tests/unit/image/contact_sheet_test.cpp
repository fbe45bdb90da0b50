// SPDX-License-Identifier: BSD-3-Clause
#include "image/contact_sheet.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "image/font.hpp"

namespace whorl::image {
namespace {

Image plain(int height, int width, std::uint8_t value) {
  Image image(height, width);
  std::fill(image.pixels.begin(), image.pixels.end(), value);
  return image;
}

/// Tiles of 20 pixels with gaps of 4 and lines of 9: the cell (row, column) starts at (4 + 33 row, 4 + 24
/// column).
TEST(ContactSheet, LaysTilesInRows) {
  const Image sheet =
      contact_sheet({{plain(40, 30, 10), ""}, {plain(5, 9, 60), ""}, {plain(20, 20, 110), ""}}, 2, 20);
  EXPECT_EQ(sheet.height, 4 + 2 * 33);
  EXPECT_EQ(sheet.width, 4 + 2 * 24);
  for (int y = 0; y < sheet.height; ++y)
    for (int x = 0; x < sheet.width; ++x) {
      const int row = (y - 4) / 33, column = (x - 4) / 24;
      const bool inside = y >= 4 && x >= 4 && (y - 4) % 33 < 20 && (x - 4) % 24 < 20 && row * 2 + column < 3;
      const int expected = inside ? 10 + 50 * (row * 2 + column) : 255;
      ASSERT_EQ(int(sheet.at(y, x)[0]), expected) << y << ", " << x;
    }
}

/// The label's pixels as text, from its top left corner.
std::vector<std::string> label_pixels(const std::string& label, int tile_size) {
  const Image sheet = contact_sheet({{plain(8, 8, 200), label}}, 1, tile_size);
  std::vector<std::string> rows;
  for (int y = 0; y < glyph_height; ++y) {
    rows.emplace_back();
    for (int x = 4; x < 4 + tile_size; ++x)
      rows.back() += sheet.at(4 + tile_size + 2 + y, x)[1] == 0 ? '#' : '.';
  }
  return rows;
}

TEST(ContactSheet, WritesTheLabel) {
  EXPECT_EQ(label_pixels("Lt", 12), (std::vector<std::string>{"#......#....",  //
                                                              "#......#....",  //
                                                              "#.....###...",  //
                                                              "#......#....",  //
                                                              "#......#....",  //
                                                              "#......#..#.",  //
                                                              "#####...##.."}));
}

TEST(ContactSheet, CutsLongLabelsAndMarksForeignCharacters) {
  EXPECT_EQ(label_pixels("abcdefgh", 17), label_pixels("abc", 17));  // three glyphs of 5 and two gaps
  EXPECT_EQ(label_pixels("a\xC3z", 17), label_pixels("a?z", 17));
  EXPECT_NE(label_pixels("a?z", 17), label_pixels("abz", 17));
}

TEST(ContactSheet, RefusesNothing) {
  EXPECT_THROW(contact_sheet({}, 3, 20), Error);
}

}  // namespace
}  // namespace whorl::image
