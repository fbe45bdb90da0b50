// SPDX-License-Identifier: BSD-3-Clause
#include "base/block_range.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace whorl {

Range block_range(std::int64_t count, int parts, int index) {
  require(count >= 0 && parts > 0 && index >= 0 && index < parts, "no part {} of {} in a range of {}", index,
          parts, count);
  const std::int64_t size = count / parts;
  const std::int64_t larger = count % parts;
  const std::int64_t begin = index * size + std::min<std::int64_t>(index, larger);
  return {begin, begin + size + (index < larger ? 1 : 0)};
}

std::vector<Range> balanced_ranges(std::span<const std::int64_t> weights, int parts) {
  require(parts > 0, "cannot cut a list into {} parts", parts);
  std::int64_t total = 0;
  for (const std::int64_t weight : weights) {
    require(weight >= 0, "negative weight {}", weight);
    total += weight;
  }
  const auto count = static_cast<std::int64_t>(weights.size());
  std::vector<Range> ranges;
  std::int64_t end = 0;
  std::int64_t sum = 0;
  for (int part = 1; part <= parts; ++part) {
    const std::int64_t begin = end;
    // part/parts of the total, rounded up, without overflow of part * total.
    const std::int64_t target = total / parts * part + (total % parts * part + parts - 1) / parts;
    while (end < count && sum < target) sum += weights[static_cast<std::size_t>(end++)];
    if (part == parts) end = count;
    ranges.push_back({begin, end});
  }
  return ranges;
}

}  // namespace whorl
