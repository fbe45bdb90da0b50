// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "image/image.hpp"

namespace whorl::image {

struct Tile {
  Image picture;
  std::string label;  ///< ASCII; cut to the tile's width
};

/// Pictures in rows of `columns`, each scaled to tile_size x tile_size, its label below it in a built-in
/// bitmap font.
Image contact_sheet(const std::vector<Tile>& tiles, int columns, int tile_size);

}  // namespace whorl::image
