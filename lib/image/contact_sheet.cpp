// SPDX-License-Identifier: BSD-3-Clause
#include "image/contact_sheet.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "image/font.hpp"
#include "image/resize.hpp"

namespace whorl::image {
namespace {

constexpr int gap = 4;
constexpr int line_height = glyph_height + 2;
constexpr int advance = glyph_width + 1;

void draw_text(Image& sheet, int top, int left, int width, const std::string& text) {
  const std::size_t fitting = std::min(text.size(), static_cast<std::size_t>((width + 1) / advance));
  for (std::size_t i = 0; i < fitting; ++i) {
    const auto& columns = glyph_columns(text[i]);
    for (int x = 0; x < glyph_width; ++x)
      for (int y = 0; y < glyph_height; ++y)
        if (columns[x] >> y & 1)
          std::fill_n(sheet.at(top + y, left + int(i) * advance + x), 3, std::uint8_t{0});
  }
}

void draw_picture(Image& sheet, int top, int left, int size, const Image& picture) {
  Image scaled(size, size);
  resize(picture, {0, 0, double(picture.height), double(picture.width)}, size, size, scaled.pixels.data());
  for (int y = 0; y < size; ++y) std::copy_n(scaled.at(y, 0), std::size_t(size) * 3, sheet.at(top + y, left));
}

}  // namespace

Image contact_sheet(const std::vector<Tile>& tiles, int columns, int tile_size) {
  require(!tiles.empty() && columns > 0 && tile_size > 0,
          "a contact sheet needs pictures, columns and a tile size");
  const int rows = (int(tiles.size()) + columns - 1) / columns;
  const int cell_height = tile_size + line_height + gap, cell_width = tile_size + gap;
  Image sheet(gap + rows * cell_height, gap + columns * cell_width);
  std::fill(sheet.pixels.begin(), sheet.pixels.end(), std::uint8_t{255});
  for (int i = 0; i < int(tiles.size()); ++i) {
    const int top = gap + i / columns * cell_height, left = gap + i % columns * cell_width;
    draw_picture(sheet, top, left, tile_size, tiles[i].picture);
    draw_text(sheet, top + tile_size + 2, left, tile_size, tiles[i].label);
  }
  return sheet;
}

}  // namespace whorl::image
