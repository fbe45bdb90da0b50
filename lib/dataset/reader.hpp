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

/// Random access to a dataset file for one process; opening it takes neither time nor memory that grow with
/// N. Reading is const and may be called from several threads at once. Where it goes through HDF5, which is
/// not thread-safe, all Readers share one lock; other HDF5 calls must not run at the same time.
class Reader {
 public:
  /// `all`: pictures are compared with their checksums whenever they are read, about 10 us for each 100 KB;
  /// everything else is when the file is opened.
  enum class Verify { nothing, all };
  /// Throws Error for a missing, foreign, truncated, damaged or newer-schema file, saying which and what to
  /// do; with Verify::all also for one without checksums.
  explicit Reader(const std::filesystem::path& path, Verify verify = Verify::nothing);
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  const Info& info() const;
  const std::string& path() const;
  /// Labels of the whole split, shape (N); read by the first call and kept in memory. Throws for a label
  /// without a class.
  std::span<const std::int32_t> labels(Split split) const;
  /// The labels of `samples` into `out`, read from the file: needs no memory that grows with N.
  void read_labels(Split split, std::span<const std::int64_t> samples, std::int32_t* out) const;
  /// Copies the pictures `samples` into `out`, shape (samples.size(), image_size, image_size, 3). Contiguous
  /// pixels are read with pread at the dataset's file offset, runs of neighbours at once, and when wanted
  /// again, copied out of a mapping (why: apps/readbench/README.md); chunked or compressed files, as h5repack
  /// makes, go through H5Dread; stored JPEG is decoded.
  void read_images(Split split, std::span<const std::int64_t> samples, std::uint8_t* out) const;
  /// The JPEG of a picture as it is stored; only for Storage::jpeg.
  void read_jpeg(Split split, std::int64_t sample, std::vector<std::uint8_t>& out) const;
  /// Whether the stored bytes of a picture still have their checksum. Throws for a file without checksums.
  bool is_intact(Split split, std::int64_t sample) const;
  /// See integrity.hpp.
  bool is_laid_out_anew() const;
  /// The same. Throws for a file without checksums.
  std::vector<std::string> damage_beside_pictures() const;
  /// The pictures [first, first + count) will be read soon, in any order: the kernel reads them ahead.
  void will_need(Split split, std::int64_t first, std::int64_t count) const;
  /// Throws if somebody has changed the file since it was opened.
  void require_unchanged() const;
  std::vector<std::string> names(Split split, std::int64_t first, std::int64_t count) const;

  struct Reject {
    std::string name, reason;
  };
  std::vector<Reject> rejects() const;
  /// Fingerprint of what training depends on: schema attributes, labels (all are read and checked, once) and,
  /// by their stored checksums, pictures. Files without checksums are told apart by their sources alone.
  const std::string& digest() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whorl::dataset
