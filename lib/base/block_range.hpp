// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace whorl {

/// Half-open range of indices [begin, end).
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
  bool operator==(const Range&) const = default;
};

/// The `index`-th of `parts` contiguous ranges of [0, count); sizes differ by at most one, larger ones first.
Range block_range(std::int64_t count, int parts, int index);

/// Cuts [0, weights.size()) into `parts` contiguous ranges whose sums of weights are as equal as whole items
/// allow: the cut k lies where the running sum first reaches k/parts of the total. Ranges may be empty.
std::vector<Range> balanced_ranges(std::span<const std::int64_t> weights, int parts);

}  // namespace whorl
