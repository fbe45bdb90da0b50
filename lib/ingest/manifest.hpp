// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/schema.hpp"

namespace whorl::ingest {

enum class Encoding {
  jpeg,
  cifar,  ///< 3072 bytes: the red, green and blue plane of a 32x32 picture
};

struct SourceFile {
  std::string path;
  bool shared = false;         ///< holds many pictures and is read collectively; otherwise it is one picture
  std::uint64_t checksum = 0;  ///< of the bytes of a CIFAR batch in it, which a scan reads; 0 of others
};

/// A picture to ingest: a byte range of a file.
struct Item {
  std::string name;        ///< path within the source, unique in the manifest
  std::int32_t file = 0;   ///< index into Manifest::files
  std::int32_t label = 0;  ///< index into Manifest::class_names
  dataset::Split split = dataset::Split::train;
  std::int64_t offset = 0;  ///< bytes from the start of the file
  std::int64_t size = 0;    ///< bytes
};

/// Everything there is to ingest, the same on every rank.
struct Manifest {
  Encoding encoding = Encoding::jpeg;
  std::vector<SourceFile> files;
  std::vector<std::string> class_names;
  std::vector<Item>
      items;  ///< in dataset order: train before test; JPEGs sorted bytewise by name, CIFAR in its own order

  std::int64_t count(dataset::Split split) const;
  /// The row of item `index` within its split, if no picture is rejected.
  std::int64_t row(std::int64_t index) const;
  /// Fingerprint of names, labels, splits, sizes and class names, and of what CIFAR batches, whose names and
  /// sizes are always the same, hold.
  std::string digest() const;
};

/// Flat bytes for a broadcast among the processes of one job, and back.
std::string serialise(const Manifest& manifest);
Manifest deserialise(std::string_view bytes);

}  // namespace whorl::ingest
