// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

namespace whorl::test {

/// Terms and sums of an all-reduce that float32 holds exactly: integers, different for every element, rank
/// and `salt` nearby. Those of int64 are the same in units that only 64 bits hold.
inline std::int64_t term(std::size_t element, int rank, int ranks, int salt) {
  return (static_cast<std::int64_t>(element) * ranks + rank + 1000 * salt) % 65521 + 1;
}

template <typename T>
T in_units(std::int64_t value) {
  if constexpr (std::is_same_v<T, float>) return static_cast<T>(value);
  return static_cast<T>(value * -((std::int64_t{1} << 40) + 1));
}

template <typename T>
void fill_terms(std::span<T> data, int rank, int ranks, int salt) {
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = in_units<T>(term(i, rank, ranks, salt));
}

template <typename T = float>
std::vector<T> terms(std::size_t count, int rank, int ranks, int salt) {
  std::vector<T> data(count);
  fill_terms(std::span(data), rank, ranks, salt);
  return data;
}

/// One failure at most, which names the first wrong element.
template <typename Data>
void expect_sums(const Data& data, int ranks, int salt) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    std::int64_t sum = 0;
    for (int rank = 0; rank < ranks; ++rank) sum += term(i, rank, ranks, salt);
    if (data[i] != in_units<typename Data::value_type>(sum)) {
      ADD_FAILURE() << "element " << i << " of " << data.size() << ": " << data[i] << ", expected "
                    << in_units<typename Data::value_type>(sum);
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
