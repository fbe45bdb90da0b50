// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "h5/file.hpp"
#include "ingest/writeback.hpp"

namespace whorl::ingest {

/// Writes rows of a uint8 dataset, independently of other ranks; rows that follow each other are joined to
/// transfers of a few MB.
class RowWriter {
 public:
  RowWriter(const h5::File& file, h5::Dataset dataset)
      : dataset_(std::move(dataset)), writeback_(file.path()) {
    pending_.reserve(most_bytes);
  }

  /// `values`: whole rows.
  void add(hsize_t row, std::span<const std::uint8_t> values) {
    if (row != next_row_ || pending_.size() + values.size() > most_bytes) {
      flush();
      first_row_ = row;
    }
    pending_.insert(pending_.end(), values.begin(), values.end());
    next_row_ = row + values.size() / dataset_.row_size();
  }
  /// Must be called after the last row.
  void flush() {
    dataset_.write_rows(first_row_, std::span<const std::uint8_t>(pending_));
    writeback_.wrote(std::ssize(pending_));
    first_row_ = next_row_;
    pending_.clear();
  }
  const h5::Dataset& dataset() const { return dataset_; }

 private:
  static constexpr std::size_t most_bytes = std::size_t{4} << 20;
  h5::Dataset dataset_;
  Writeback writeback_;
  std::vector<std::uint8_t> pending_;
  hsize_t first_row_ = 0, next_row_ = 0;
};

}  // namespace whorl::ingest
