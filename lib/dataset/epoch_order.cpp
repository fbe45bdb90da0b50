// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/epoch_order.hpp"

#include <algorithm>
#include <bit>

#include "base/error.hpp"
#include "base/keyed_random.hpp"

namespace whorl::dataset {

namespace {

/// Every bit of the result depends on every bit of `value` (the finaliser of Appleby's MurmurHash3).
std::uint32_t mix(std::uint32_t value) {
  value = (value ^ (value >> 16)) * 0x85EBCA6BU;
  value = (value ^ (value >> 13)) * 0xC2B2AE35U;
  return value ^ (value >> 16);
}

}  // namespace

EpochOrder::EpochOrder(std::uint64_t seed, std::uint32_t epoch, std::int64_t count, std::uint64_t part)
    : count_(count) {
  require(count >= 0 && count <= std::int64_t{1} << 62, "cannot order {} samples", count);
  const auto largest = static_cast<std::uint64_t>(std::max<std::int64_t>(count - 1, 1));
  half_bits_ = (static_cast<int>(std::bit_width(largest)) + 1) / 2;
  KeyedRandom random(seed, RandomPurpose::order, epoch, part);
  for (std::uint32_t& key : keys_) key = random.next_u32();
}

// The domain has fewer than 4 * count elements, so that four turns are expected at most. A walk ends, because
// a permutation's cycle leads back to `position`, which is below count.
std::int64_t EpochOrder::operator()(std::int64_t position) const {
  require(position >= 0 && position < count_, "position {} is not in an epoch of {} samples", position,
          count_);
  const std::uint32_t half_mask = (std::uint32_t{1} << half_bits_) - 1;
  auto value = static_cast<std::uint64_t>(position);
  do {
    auto left = static_cast<std::uint32_t>(value >> half_bits_);
    std::uint32_t right = static_cast<std::uint32_t>(value) & half_mask;
    for (const std::uint32_t key : keys_) {
      const std::uint32_t next = left ^ (mix(right ^ key) & half_mask);
      left = right;
      right = next;
    }
    value = (std::uint64_t{left} << half_bits_) | right;
  } while (value >= static_cast<std::uint64_t>(count_));
  return static_cast<std::int64_t>(value);
}

}  // namespace whorl::dataset
