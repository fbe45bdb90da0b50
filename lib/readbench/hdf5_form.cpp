// SPDX-License-Identifier: BSD-3-Clause
#include "base/error.hpp"
#include "h5/file.hpp"
#include "readbench/prepare.hpp"

namespace whorl::readbench {

namespace {

using dataset::Split;
using dataset::Storage;

void write_attributes(const h5::File& file, const dataset::Info& info, Storage storage) {
  h5::write_attribute(file, "/", "format", std::string(dataset::format_name));
  h5::write_attribute(file, "/", "schema_version", dataset::schema_version);
  h5::write_attribute(file, "/", "class_names", info.class_names);
  h5::write_attribute(file, "/", "channel_mean", std::span<const double>(info.channel_mean));
  h5::write_attribute(file, "/", "channel_std", std::span<const double>(info.channel_std));
  h5::write_attribute(file, "/", "source_digest", info.source_digest);
  h5::write_attribute(file, "/", "storage", std::string(to_string(storage)));
  h5::write_attribute(file, "/", "image_size", static_cast<std::int64_t>(info.image_size));
}

h5::Dataset create_pixels(const h5::File& file, Split split, hsize_t count, hsize_t side) {
  return h5::Dataset::create<std::uint8_t>(file, object_name(split, "images"), {count, side, side, 3});
}

void write_pixels(const h5::File& file, const PictureSet& pictures) {
  const auto side = static_cast<hsize_t>(pictures.info().image_size);
  const auto images = create_pixels(file, Split::train, static_cast<hsize_t>(pictures.count()), side);
  for (std::int64_t sample = 0; sample < pictures.count(); ++sample)
    images.write_rows<std::uint8_t>(static_cast<hsize_t>(sample), pictures.pixels(sample));
  create_pixels(file, Split::test, 0, side);
}

void write_offsets(const h5::File& file, Split split, const std::vector<std::uint64_t>& offsets) {
  h5::Dataset::create<std::uint64_t>(file, object_name(split, "jpeg_offsets"), {offsets.size()})
      .write_rows<std::uint64_t>(0, offsets);
}

void write_jpeg(const h5::File& file, const PictureSet& pictures) {
  std::vector<std::uint64_t> offsets{0};
  for (std::int64_t sample = 0; sample < pictures.count(); ++sample)
    offsets.push_back(offsets.back() + pictures.jpeg(sample).size());
  const auto bytes =
      h5::Dataset::create<std::uint8_t>(file, object_name(Split::train, "jpeg_bytes"), {offsets.back()});
  for (std::int64_t sample = 0; sample < pictures.count(); ++sample)
    bytes.write_rows<std::uint8_t>(offsets[static_cast<std::size_t>(sample)], pictures.jpeg(sample));
  h5::Dataset::create<std::uint8_t>(file, object_name(Split::test, "jpeg_bytes"), {0});
  write_offsets(file, Split::train, offsets);
  write_offsets(file, Split::test, {0});
}

void write_labels(const h5::File& file, const PictureSet& pictures) {
  std::vector<std::int32_t> labels;
  for (std::int64_t sample = 0; sample < pictures.count(); ++sample) labels.push_back(pictures.label(sample));
  h5::Dataset::create<std::int32_t>(file, object_name(Split::train, "labels"), {labels.size()})
      .write_rows<std::int32_t>(0, labels);
  h5::Dataset::create<std::int32_t>(file, object_name(Split::test, "labels"), {0});
}

}  // namespace

void write_hdf5(const std::filesystem::path& path, const PictureSet& pictures, Storage storage) {
  h5::File file = h5::File::create(path);
  write_attributes(file, pictures.info(), storage);
  if (storage == Storage::pixels)
    write_pixels(file, pictures);
  else
    write_jpeg(file, pictures);
  write_labels(file, pictures);
  file.close();
}

}  // namespace whorl::readbench
