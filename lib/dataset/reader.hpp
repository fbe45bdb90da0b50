// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataset/schema.hpp"

namespace whorl::dataset {

/// Random access to a dataset file for one process. Reading is const and may be called from several threads
/// at once. Where it goes through HDF5, which is not thread-safe, all Readers share one lock; other HDF5
/// calls must not run at the same time.
class Reader {
 public:
  /// Throws Error for a missing, foreign, truncated, damaged or newer-schema file, saying which and what to
  /// do.
  explicit Reader(const std::filesystem::path& path);
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  const Info& info() const;
  const std::string& path() const;
  /// Labels of the whole split, shape (N); kept in memory.
  std::span<const std::int32_t> labels(Split split) const;
  /// Copies the pictures `samples` into `out`, shape (samples.size(), image_size, image_size, 3). Contiguous
  /// pixels are read with pread at the dataset's file offset (measured 0.7 us a CIFAR sample against 9 us by
  /// H5Dread); chunked or compressed files, as h5repack makes, go through H5Dread; stored JPEG is decoded.
  void read_images(Split split, std::span<const std::int64_t> samples, std::uint8_t* out) const;
  std::vector<std::string> names(Split split, std::int64_t first, std::int64_t count) const;

  struct Reject {
    std::string name, reason;
  };
  std::vector<Reject> rejects() const;
  /// Fingerprint of what training depends on: schema attributes, labels and picture bytes' stored source
  /// digest.
  std::string digest() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whorl::dataset
