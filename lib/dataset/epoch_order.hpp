// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>

namespace whorl::dataset {

/// A permutation of [0, count) that is a pure function of (seed, epoch), evaluated a position at a time
/// without any table: a Feistel network on the next even power of two, walked until it falls below count
/// (Black & Rogaway, "Ciphers with arbitrary finite domains", 2002).
class EpochOrder {
 public:
  /// Orders with another `part` are independent: parts of an epoch that are ordered one by one.
  EpochOrder(std::uint64_t seed, std::uint32_t epoch, std::int64_t count, std::uint64_t part = 0);
  /// The sample that stands at `position` in this epoch.
  std::int64_t operator()(std::int64_t position) const;

  static constexpr int rounds = 6;
  /// Of the network's rounds, and the bits of each half: for those who evaluate it elsewhere.
  const std::array<std::uint32_t, rounds>& keys() const { return keys_; }
  int half_bits() const { return half_bits_; }

 private:
  std::array<std::uint32_t, rounds> keys_{};
  std::int64_t count_;
  int half_bits_;
};

}  // namespace whorl::dataset
