// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "collective/transport.hpp"

// Integers of 64 bits in messages between nodes: all of a message in as many bytes each, from 5 to 8, as the
// largest needs. Exact sums of gradients are of 36 to 40 bits (train/gradient_sum.hpp), which makes 5 of 8. A
// core packs and unpacks about 9 GB/s: less time than what is no longer sent takes a link of 25 Gbit/s.
namespace whorl::collective {

/// 8 for an empty message.
std::size_t packed_width(std::span<const std::int64_t> values);

/// What a buffer must hold for either of the following: more than the message.
constexpr std::size_t packed_capacity(std::size_t count) {
  return (count + 1) * sizeof(std::int64_t);
}

/// The values one after the other, the least significant byte of each first. Returns the message, which is
/// values.size() * width bytes at the start of the buffer.
std::span<const std::byte> pack(std::span<const std::int64_t> values, std::size_t width,
                                std::span<std::byte> buffer);

/// Stores what pack() has made, or adds it.
void unpack(std::span<const std::byte> buffer, std::size_t width, std::span<std::int64_t> into,
            Arrival arrival);

}  // namespace whorl::collective
