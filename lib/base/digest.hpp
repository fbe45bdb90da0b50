// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace whorl {

/// XXH3, 128 bits: fingerprints of data, weights and job files. Detects accidents, not attackers.
class Digest {
 public:
  Digest();
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  void add(std::span<const std::byte> bytes);
  void add(std::string_view text);
  /// 32 hexadecimal digits of everything added so far.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Digest of one contiguous range.
std::string digest_of(std::span<const std::byte> bytes);
/// 64-bit XXH3 of a name, for decisions such as the deterministic train/test split.
std::uint64_t hash_of(std::string_view text, std::uint64_t seed);
/// 64-bit XXH3 (seed 0) of stored bytes, kept beside them to find damage. Python: xxhash.xxh3_64_intdigest.
std::uint64_t checksum_of(std::span<const std::byte> bytes);

}  // namespace whorl
