// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "base/block_range.hpp"
#include "dataset/epoch_order.hpp"

namespace whorl::dataset {

/// A permutation of [0, count) for files much larger than memory: the file is cut into blocks of neighbours,
/// the blocks are permuted, and samples are shuffled within a window of several blocks. A disk then reads
/// whole blocks, and memory holds two windows, not the file. A pure function of (seed, epoch), without any
/// table.
class WindowOrder {
 public:
  struct Shape {
    std::int64_t block = 256;           ///< samples that lie side by side
    std::int64_t blocks_a_window = 16;  ///< samples mix within them
    std::int64_t window() const { return block * blocks_a_window; }
  };
  WindowOrder(std::uint64_t seed, std::uint32_t epoch, std::int64_t count, Shape shape);

  /// The sample that stands at `position` in this epoch.
  std::int64_t operator()(std::int64_t position) const;
  std::int64_t windows() const;
  /// The blocks of window `window`, whose samples stand at the positions [window * shape.window(), ...).
  std::vector<Range> blocks(std::int64_t window) const;

 private:
  /// The block that is the `turn`-th to be read; the last, which may be short, is always last.
  Range block_at(std::int64_t turn) const;
  std::uint64_t seed_;
  std::uint32_t epoch_;
  std::int64_t count_;
  Shape shape_;
  EpochOrder order_of_blocks_;
};

}  // namespace whorl::dataset
