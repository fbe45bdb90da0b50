// SPDX-License-Identifier: BSD-3-Clause
#include "sheet.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "image/contact_sheet.hpp"
#include "image/jpeg.hpp"

namespace whorl::inspect {
namespace {

constexpr int columns = 8;

/// A row of each class where that makes a sheet of a readable size, fewer of each where there are many
/// classes.
std::size_t pictures_per_class(std::size_t classes) {
  return std::clamp<std::size_t>(160 / std::max<std::size_t>(classes, 1), 1, columns);
}

/// At most `count` of `samples`, evenly spread.
std::vector<std::int64_t> spread(const std::vector<std::int64_t>& samples, std::size_t count) {
  count = std::min(count, samples.size());
  std::vector<std::int64_t> picked;
  for (std::size_t i = 0; i < count; ++i) picked.push_back(samples[i * samples.size() / count]);
  return picked;
}

std::vector<std::int64_t> pick_samples(const dataset::Reader& reader, dataset::Split split) {
  std::vector<std::vector<std::int64_t>> of_class(reader.info().class_names.size());
  const auto labels = reader.labels(split);
  for (std::size_t i = 0; i < labels.size(); ++i)
    of_class.at(static_cast<std::size_t>(labels[i])).push_back(std::int64_t(i));
  std::vector<std::int64_t> picked;
  for (const auto& samples : of_class)
    for (const std::int64_t sample : spread(samples, pictures_per_class(of_class.size())))
      picked.push_back(sample);
  return picked;
}

}  // namespace

int write_sheet(const dataset::Reader& reader, dataset::Split split, const std::filesystem::path& path) {
  const auto& info = reader.info();
  std::vector<image::Tile> tiles;
  for (const std::int64_t sample : pick_samples(reader, split)) {
    image::Tile tile{image::Image(info.image_size, info.image_size),
                     info.class_names.at(static_cast<std::size_t>(reader.labels(split)[sample]))};
    reader.read_images(split, {&sample, 1}, tile.picture.pixels.data());
    tiles.push_back(std::move(tile));
  }
  require(!tiles.empty(), "the {} split of {} has no pictures for a contact sheet", dataset::to_string(split),
          reader.path());
  const int tile_size =
      std::clamp(info.image_size, 96, 192);  // small pictures are enlarged, so that labels fit below them
  const auto jpeg = image::encode_jpeg(image::contact_sheet(tiles, columns, tile_size), 90);
  write_file_atomically(path, {reinterpret_cast<const char*>(jpeg.data()), jpeg.size()});
  return int(tiles.size());
}

}  // namespace whorl::inspect
