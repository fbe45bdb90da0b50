// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "h5/file.hpp"
#include "ingest/writeback.hpp"

namespace whorl::ingest {

/// Writes rows of a uint8 dataset, independently of other ranks; rows that follow each other are joined to
/// transfers of a few MB.
class RowWriter {
 public:
  static constexpr std::size_t usual_block = std::size_t{4} << 20;
  /// `block`: most bytes in a transfer, but for a single larger row; smaller only for tests. `written`, if
  /// any, is called whenever all rows that were kept so far are in the file.
  RowWriter(const h5::File& file, h5::Dataset dataset, std::size_t block = usual_block,
            std::function<void()> written = {})
      : dataset_(std::move(dataset)),
        written_(std::move(written)),
        writeback_(file.path()),
        capacity_(std::max<std::size_t>(block, dataset_.row_size())),
        pending_(std::make_unique_for_overwrite<std::uint8_t[]>(capacity_)) {}

  /// Where the values of a row are to be written; they count once keep_row() is called.
  std::span<std::uint8_t> place_row(hsize_t row) { return make_room(row, dataset_.row_size()); }
  void keep_row() { used_ += dataset_.row_size(); }

  /// `values`: whole rows.
  void add(hsize_t row, std::span<const std::uint8_t> values) {
    std::ranges::copy(values, make_room(row, values.size()).begin());
    used_ += values.size();
  }
  /// Must be called after the last row.
  void flush() {
    dataset_.write_rows(first_row_, std::span<const std::uint8_t>(pending_.get(), used_));
    writeback_.wrote(static_cast<std::int64_t>(used_));
    used_ = 0;
    if (written_) written_();
  }
  const h5::Dataset& dataset() const { return dataset_; }

 private:
  std::span<std::uint8_t> make_room(hsize_t row, std::size_t bytes) {
    const bool follows = row == first_row_ + used_ / dataset_.row_size();
    if (!follows || used_ + bytes > capacity_) flush();
    if (used_ == 0) first_row_ = row;
    if (bytes > capacity_) {
      capacity_ = bytes;
      pending_ = std::make_unique_for_overwrite<std::uint8_t[]>(capacity_);
    }
    return {pending_.get() + used_, bytes};
  }

  h5::Dataset dataset_;
  std::function<void()> written_;
  Writeback writeback_;
  std::size_t capacity_, used_ = 0;  // bytes
  std::unique_ptr<std::uint8_t[]>
      pending_;  // rows from first_row_ on; no page of it is touched before it is used
  hsize_t first_row_ = 0;
};

}  // namespace whorl::ingest
