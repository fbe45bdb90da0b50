// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "dataset/integrity.hpp"
#include "dataset/schema.hpp"
#include "h5/file.hpp"
#include "image/jpeg.hpp"

namespace whorl::test {

/// A small dataset file, written without ingest.
struct DatasetFile {
  int image_size = 5;
  std::int64_t train_count = 7;
  std::int64_t test_count = 3;
  dataset::Storage storage = dataset::Storage::pixels;
  std::int64_t schema_version = dataset::schema_version;
  std::string format = dataset::format_name;
  std::string source_digest = "0123";
  std::vector<std::string> class_names{"daisy", "rose", "tulip"};
  bool checksums = false;
  int brighter = 0;  // the test pictures

  std::int32_t label(dataset::Split split, std::int64_t sample) const {
    const std::int64_t classes = static_cast<std::int64_t>(class_names.size());
    return static_cast<std::int32_t>((sample * 2 + (split == dataset::Split::test ? 1 : 0)) % classes);
  }
  /// Pictures differ from each other and from themselves shifted, mirrored or transposed.
  std::vector<std::uint8_t> picture(dataset::Split split, std::int64_t sample) const {
    std::vector<std::uint8_t> pixels(std::size_t(image_size) * image_size * 3);
    const std::size_t start = static_cast<std::size_t>(sample) * 37 +
                              static_cast<std::size_t>(split == dataset::Split::test ? 101 + brighter : 0);
    for (std::size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = static_cast<std::uint8_t>((start + i * i + i * 7) % 251);
    return pixels;
  }
  /// Stored with storage = jpeg.
  std::vector<std::uint8_t> jpeg(dataset::Split split, std::int64_t sample) const {
    image::Image square(image_size, image_size);
    square.pixels = picture(split, sample);
    return image::encode_jpeg(square, 90);
  }

  void write(const std::filesystem::path& path) const {
    h5::File file = h5::File::create(path);
    h5::write_attribute(file, "/", "format", format);
    h5::write_attribute(file, "/", "schema_version", schema_version);
    h5::write_attribute(file, "/", "class_names", class_names);
    h5::write_attribute(file, "/", "channel_mean", std::vector<double>{0.25, 0.5, 0.75});
    h5::write_attribute(file, "/", "channel_std", std::vector<double>{0.125, 0.25, 0.375});
    h5::write_attribute(file, "/", "source_digest", source_digest);
    h5::write_attribute(file, "/", "storage", std::string(dataset::to_string(storage)));
    h5::write_attribute(file, "/", "image_size", static_cast<std::int64_t>(image_size));
    write_split(file, dataset::Split::train, train_count);
    write_split(file, dataset::Split::test, test_count);
    write_names(file, "rejected/name", {"bad.jpg"});
    write_names(file, "rejected/reason", {"premature end of JPEG file"});
    if (checksums) h5::Dataset::create<std::uint64_t>(file, "rest_checksums", {dataset::rest_parts + 1});
    file.close();
    if (checksums) dataset::seal(path);
  }

 private:
  template <typename T>
  static void write_array(const h5::File& file, const std::string& name, const std::vector<hsize_t>& shape,
                          const std::vector<T>& values) {
    h5::Dataset::create<T>(file, name, shape).template write_rows<T>(0, values);
  }

  static void write_names(const h5::File& file, const std::string& name,
                          const std::vector<std::string>& values) {
    h5::create_strings(file, name, values.size(), 32);
    h5::write_strings(file, name, 0, values);
  }

  void write_split(const h5::File& file, dataset::Split split, std::int64_t count) const {
    std::vector<std::int32_t> labels;
    std::vector<std::uint8_t> bytes;
    std::vector<std::uint64_t> offsets{0}, sums;
    std::vector<std::string> names;
    for (std::int64_t sample = 0; sample < count; ++sample) {
      const auto stored = storage == dataset::Storage::pixels ? picture(split, sample) : jpeg(split, sample);
      bytes.insert(bytes.end(), stored.begin(), stored.end());
      offsets.push_back(bytes.size());
      sums.push_back(checksum_of(std::as_bytes(std::span(stored))));
      labels.push_back(label(split, sample));
      names.push_back(std::string(dataset::to_string(split)) + "-" + std::to_string(sample) + ".jpg");
    }
    const auto rows = static_cast<hsize_t>(count);
    const auto side = static_cast<hsize_t>(image_size);
    if (storage == dataset::Storage::pixels) {
      write_array(file, object_name(split, "images"), {rows, side, side, 3}, bytes);
    } else {
      write_array(file, object_name(split, "jpeg_bytes"), {bytes.size()}, bytes);
      write_array(file, object_name(split, "jpeg_offsets"), {offsets.size()}, offsets);
    }
    write_array(file, object_name(split, "labels"), {rows}, labels);
    write_names(file, object_name(split, "names"), names);
    if (checksums) write_array(file, object_name(split, "checksums"), {rows}, sums);
  }
};

}  // namespace whorl::test
