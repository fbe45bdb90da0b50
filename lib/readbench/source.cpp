// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/source.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.hpp"

namespace whorl::readbench {

void JpegSource::decode(std::span<const std::uint8_t> stored, Arena& out) {
  if (size_ > 0) {
    decoder_.decode(stored, size_, out.append(std::size_t(size_) * size_ * 3).data());
  } else {
    const image::Image picture = image::decode_jpeg(stored);
    std::ranges::copy(picture.pixels, out.append(picture.pixels.size()).begin());
  }
}

std::vector<Kind> kinds() {
  return {{"folder", "folder of JPEG files, each opened on its own"},
          {"tar", "tar of JPEG files, read at their offsets"},
          {"pixels", "HDF5 dataset with stored pixels, through the reader of training"},
          {"jpeg", "HDF5 dataset with stored JPEG, through the same reader"},
          {"cifar", "folder of binary CIFAR-10 batches"},
          {"sqlite", "SQLite database: table pictures(sample INTEGER PRIMARY KEY, label, jpeg BLOB)"},
          {"raw", "the bytes of a pixels file by bare pread: the ceiling"}};
}

SourceName parse_source(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string kind = text.substr(0, equals);
  std::vector<std::string> names;
  for (const Kind& known : kinds()) names.push_back(known.name);
  if (equals == std::string::npos || equals + 1 == text.size() ||
      std::ranges::find(names, kind) == names.end())
    throw UsageError("--source {}: expected KIND=PATH, where KIND is one of {}", text,
                     fmt::join(names, ", "));
  return {kind, text.substr(equals + 1)};
}

std::string source_label(std::span<const SourceName> sources, std::size_t index) {
  const SourceName& source = sources[index];
  const bool alone = std::ranges::count(sources, source.kind, &SourceName::kind) == 1;
  return alone ? source.kind : source.kind + "=" + source.path.string();
}

std::unique_ptr<Source> open_source(const SourceName& name, int size) {
  if (name.kind == "folder") return open_folder(name.path, size);
  if (name.kind == "tar") return open_tar(name.path, size);
  if (name.kind == "pixels") return open_hdf5_pixels(name.path);
  if (name.kind == "jpeg") return open_hdf5_jpeg(name.path, size);
  if (name.kind == "cifar") return open_cifar(name.path);
  if (name.kind == "sqlite") return open_sqlite(name.path, size);
  return open_raw(name.path);
}

}  // namespace whorl::readbench
