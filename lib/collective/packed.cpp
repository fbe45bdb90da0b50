// SPDX-License-Identifier: BSD-3-Clause
#include "collective/packed.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.hpp"
#include "base/simd.hpp"

namespace whorl::collective {
namespace {

static_assert(std::endian::native == std::endian::little);

/// Sums of zeros, by which algorithms are timed at the start, should take as long as those of gradients.
constexpr std::size_t least_width = 5;

/// The bits of all, those of negative ones inverted: as wide as the widest without its sign.
WHORL_SIMD_CLONES
std::uint64_t magnitude_bits(const std::int64_t* values, std::size_t count) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t sign = values[i] < 0 ? -1 : 0;
    bits |= static_cast<std::uint64_t>(values[i] ^ sign);
  }
  return bits;
}

// Eight bytes are written or read at a time, whatever the width: the next value overwrites what is too much.
template <std::size_t width>
void pack_all(const std::int64_t* values, std::size_t count, std::byte* to) {
  for (std::size_t i = 0; i < count; ++i) std::memcpy(to + i * width, values + i, sizeof *values);
}

template <std::size_t width, bool add>
void unpack_all(const std::byte* from, std::int64_t* into, std::size_t count) {
  constexpr int unused = 64 - 8 * static_cast<int>(width);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, from + i * width, sizeof bits);
    const auto value = static_cast<std::uint64_t>(static_cast<std::int64_t>(bits << unused) >> unused);
    into[i] = static_cast<std::int64_t>(add ? static_cast<std::uint64_t>(into[i]) + value : value);
  }
}

/// Calls `body` with the width as a constant.
template <typename Body>
void with_width(std::size_t width, const Body& body) {
  using std::integral_constant;
  switch (width) {
    case 5:
      return body(integral_constant<std::size_t, 5>{});
    case 6:
      return body(integral_constant<std::size_t, 6>{});
    case 7:
      return body(integral_constant<std::size_t, 7>{});
    case 8:
      return body(integral_constant<std::size_t, 8>{});
    default:
      throw Error("all-reduce: a message of integers of {} bytes", width);
  }
}

}  // namespace

std::size_t packed_width(std::span<const std::int64_t> values) {
  if (values.empty()) return sizeof(std::int64_t);
  const auto bits =
      static_cast<std::size_t>(std::bit_width(magnitude_bits(values.data(), values.size()))) + 1;
  return std::max(least_width, (bits + 7) / 8);
}

std::span<const std::byte> pack(std::span<const std::int64_t> values, std::size_t width,
                                std::span<std::byte> buffer) {
  with_width(width, [&](auto bytes) { pack_all<bytes>(values.data(), values.size(), buffer.data()); });
  return buffer.first(values.size() * width);
}

void unpack(std::span<const std::byte> buffer, std::size_t width, std::span<std::int64_t> into,
            Arrival arrival) {
  with_width(width, [&](auto bytes) {
    if (arrival == Arrival::add) {
      unpack_all<bytes, true>(buffer.data(), into.data(), into.size());
    } else {
      unpack_all<bytes, false>(buffer.data(), into.data(), into.size());
    }
  });
}

}  // namespace whorl::collective
