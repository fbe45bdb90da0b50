// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "dataset/stable_file.hpp"
#include "h5/file.hpp"

namespace whorl::dataset {

/// Rows of a dataset of std::uint8_t, std::int32_t or std::uint64_t: by pread where they lie contiguously in
/// the native type, else (chunked, compressed, another type) by H5Dread under h5::library_mutex().
template <typename T>
class StoredRows {
 public:
  StoredRows(const h5::File& file, const std::string& name);

  const std::string& name() const { return name_; }
  const std::vector<hsize_t>& shape() const { return dataset_.shape(); }
  std::uint64_t rows() const { return dataset_.rows(); }
  /// `out` = rows from `first` on, which exist; `bytes` is the file given to the constructor.
  void read(const StableFile& bytes, std::uint64_t first, std::span<T> out) const;
  /// The rows [first, first + count) will be read soon.
  void will_need(const StableFile& bytes, std::uint64_t first, std::uint64_t count) const;

 private:
  std::int64_t position(std::uint64_t row) const;
  h5::Dataset dataset_;
  std::string name_;
  std::int64_t offset_ = -1;  // of the first row in the file; -1: only HDF5 can read it
  std::size_t row_bytes_ = 0;
};

}  // namespace whorl::dataset
