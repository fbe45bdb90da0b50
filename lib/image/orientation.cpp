// SPDX-License-Identifier: BSD-3-Clause
#include "image/orientation.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace whorl::image {
namespace {

/// Reads of a TIFF structure in its own byte order; none where the offset leaves the data.
class TiffReader {
 public:
  TiffReader(std::span<const std::uint8_t> data, bool little_endian)
      : data_(data), little_endian_(little_endian) {}

  std::optional<std::uint32_t> read(std::size_t offset, std::size_t bytes) const {
    if (offset > data_.size() || data_.size() - offset < bytes) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      value = value << 8 | data_[offset + (little_endian_ ? bytes - 1 - i : i)];
    return value;
  }

 private:
  std::span<const std::uint8_t> data_;
  bool little_endian_;
};

/// The value of the orientation tag in the first directory: entries of 12 bytes (tag, type, count, value).
std::optional<std::uint32_t> orientation_tag(const TiffReader& tiff) {
  constexpr std::uint32_t magic = 42, tag_orientation = 0x0112, type_short = 3, type_long = 4;
  if (tiff.read(2, 2) != magic) return std::nullopt;
  const auto directory = tiff.read(4, 4);
  const auto entries = directory ? tiff.read(*directory, 2) : std::nullopt;
  for (std::uint32_t i = 0; i < entries.value_or(0); ++i) {
    const std::size_t entry = std::size_t{*directory} + 2 + std::size_t{12} * i;
    const auto tag = tiff.read(entry, 2);
    if (!tag) return std::nullopt;
    if (tag != tag_orientation) continue;
    const auto type = tiff.read(entry + 2, 2);
    if (type == type_short) return tiff.read(entry + 8, 2);
    if (type == type_long) return tiff.read(entry + 8, 4);
    return std::nullopt;
  }
  return std::nullopt;
}

constexpr std::string_view exif_prefix("Exif\0\0", 6);

}  // namespace

bool is_exif(std::span<const std::uint8_t> segment) {
  return segment.size() >= exif_prefix.size() &&
         std::equal(exif_prefix.begin(), exif_prefix.end(), segment.begin());
}

// 2 mirrors left-right, 3 turns by 180 degrees, 4 mirrors top-bottom, 5 transposes, 6 has to be turned
// clockwise, 7 transposes along the other diagonal, 8 has to be turned anticlockwise.
Orientation::Orientation(unsigned exif_value)
    : transpose_(exif_value >= 5 && exif_value <= 8),
      flip_rows_(exif_value == 3 || exif_value == 4 || exif_value == 7 || exif_value == 8),
      flip_columns_(exif_value == 2 || exif_value == 3 || exif_value == 6 || exif_value == 7) {}

Orientation Orientation::from_exif(std::span<const std::uint8_t> segment) {
  const auto data = segment.subspan(exif_prefix.size());
  const auto byte_order = TiffReader(data, false).read(0, 2);
  const bool intel = byte_order == 0x4949U, motorola = byte_order == 0x4D4DU;  // "II", "MM"
  if (!intel && !motorola) return {};
  return Orientation(orientation_tag(TiffReader(data, intel)).value_or(1));
}

Region Orientation::to_stored(Region region, int height, int width) const {
  flip(region, height, width);
  transpose(region);
  return region;
}

Region Orientation::to_upright(Region region, int height, int width) const {
  transpose(region);
  flip(region, height, width);
  return region;
}

void Orientation::flip(Region& region, int height, int width) const {
  if (flip_rows_) region.top = height - region.top - region.height;
  if (flip_columns_) region.left = width - region.left - region.width;
}

void Orientation::transpose(Region& region) const {
  if (!transpose_) return;
  std::swap(region.top, region.left);
  std::swap(region.height, region.width);
}

Image Orientation::apply(Image stored) const {
  if (is_upright()) return stored;
  Image upright = transpose_ ? Image(stored.width, stored.height) : Image(stored.height, stored.width);
  for (int y = 0; y < upright.height; ++y) {
    const int row = flip_rows_ ? upright.height - 1 - y : y;
    for (int x = 0; x < upright.width; ++x) {
      const int column = flip_columns_ ? upright.width - 1 - x : x;
      std::copy_n(transpose_ ? stored.at(column, row) : stored.at(row, column), 3, upright.at(y, x));
    }
  }
  return upright;
}

}  // namespace whorl::image
