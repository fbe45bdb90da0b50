// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "collective/transport.hpp"

// Integers of 64 bits in messages between nodes: all of a message in as many bytes each, from 5 to 8, as the
// largest needs. Exact sums of gradients have 36 bits and a sign (train/gradient_sum.hpp): 5 bytes leave them
// three bits to grow. Packing and unpacking together go through about 9 GB/s on one core, which pays where a
// rank has less than some 25 Gbit/s of the network.
namespace whorl::collective {

/// 8 for an empty message.
std::size_t packed_width(std::span<const std::int64_t> values);

/// The values one after the other, the least significant byte of each first. Returns the message, which is
/// values.size() * width bytes at the start of the buffer; that has room for values.size() * 8.
std::span<const std::byte> pack(std::span<const std::int64_t> values, std::size_t width,
                                std::span<std::byte> buffer);

/// Stores what pack() has made in such a buffer, or adds it.
void unpack(std::span<const std::byte> buffer, std::size_t width, std::span<std::int64_t> into,
            Arrival arrival);

}  // namespace whorl::collective
