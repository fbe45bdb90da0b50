// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dataset/reader.hpp"
#include "readbench/source.hpp"

namespace whorl::readbench {

/// All pictures of a dataset file, training before test, as JPEG: the stored ones, or stored pixels encoded
/// with quality 90. Every form of storage is made of these, so that all decode to the same pixels.
class PictureSet {
 public:
  explicit PictureSet(const std::filesystem::path& dataset);
  const dataset::Info& info() const { return reader_.info(); }
  std::int64_t count() const { return reader_.info().train_count + reader_.info().test_count; }
  std::int32_t label(std::int64_t sample) const;
  std::vector<std::uint8_t> jpeg(std::int64_t sample) const;
  /// What jpeg(sample) decodes to.
  std::vector<std::uint8_t> pixels(std::int64_t sample) const;

 private:
  struct Place {
    dataset::Split split;
    std::int64_t sample;
  };
  Place place(std::int64_t sample) const;
  dataset::Reader reader_;
};

/// Writes every form of the pictures of `dataset` into the new folder `folder` and returns them as sources.
/// CIFAR batches hold only 32 x 32 pictures of at most ten classes, and SQLite may be absent; such forms are
/// left out. One process calls it.
std::vector<SourceName> prepare(const std::filesystem::path& folder, const std::filesystem::path& dataset);

void write_hdf5(const std::filesystem::path& path, const PictureSet& pictures, dataset::Storage storage);
/// False, and nothing written, where whorl was built without SQLite.
bool write_sqlite(const std::filesystem::path& path, const PictureSet& pictures);

}  // namespace whorl::readbench
