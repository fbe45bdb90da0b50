// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace whorl::readbench {

/// The bytes of a batch, one picture after the other. Keeps its memory when cleared.
class Arena {
 public:
  void clear() { used_ = 0; }
  /// Room for `count` more bytes; earlier spans become invalid.
  std::span<std::uint8_t> append(std::size_t count) {
    if (used_ + count > bytes_.size()) bytes_.resize(std::max(used_ + count, bytes_.size() * 2));
    used_ += count;
    return std::span(bytes_).subspan(used_ - count, count);
  }
  std::size_t size() const { return used_; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t used_ = 0;
};

}  // namespace whorl::readbench
