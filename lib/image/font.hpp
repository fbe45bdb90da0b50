// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>

namespace whorl::image {

constexpr int glyph_width = 5, glyph_height = 7;

/// The columns of a printable ASCII character from the left; bit 0 is the topmost pixel. Others show as '?'.
const std::array<std::uint8_t, glyph_width>& glyph_columns(char character);

}  // namespace whorl::image
