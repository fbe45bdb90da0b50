// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <vector>

namespace whorl::test {

/// Terms and sums of an all-reduce that float32 holds exactly: integers, different for every element, rank
/// and `salt` nearby.
inline std::int64_t term(std::size_t element, int rank, int ranks, int salt) {
  return (static_cast<std::int64_t>(element) * ranks + rank + 1000 * salt) % 65521 + 1;
}

inline std::vector<float> terms(std::size_t count, int rank, int ranks, int salt) {
  std::vector<float> data(count);
  for (std::size_t i = 0; i < count; ++i) data[i] = static_cast<float>(term(i, rank, ranks, salt));
  return data;
}

/// One failure at most, which names the first wrong element.
inline void expect_sums(std::span<const float> data, int ranks, int salt) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    std::int64_t sum = 0;
    for (int rank = 0; rank < ranks; ++rank) sum += term(i, rank, ranks, salt);
    if (data[i] != static_cast<float>(sum)) {
      ADD_FAILURE() << "element " << i << " of " << data.size() << ": " << data[i] << ", expected " << sum;
      return;
    }
  }
}

/// Lengths at which an algorithm that cuts its data into `ranks` blocks may go wrong.
inline std::vector<std::size_t> awkward_counts(int ranks) {
  const auto p = static_cast<std::size_t>(ranks);
  return {0, 1, p - 1, p, p + 1, 2 * p - 1, 31, 97, 1009, 10007};
}

}  // namespace whorl::test
