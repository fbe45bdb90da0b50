// SPDX-License-Identifier: BSD-3-Clause
#include "base/keyed_random.hpp"

#include <cmath>
#include <numbers>

namespace whorl {

namespace {

std::uint32_t low_word(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}
std::uint32_t high_word(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {high_word(product1) ^ counter[1] ^ key[0], low_word(product1),
               high_word(product0) ^ counter[3] ^ key[1], low_word(product0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

// The counter holds the position in the stream and the sample; purpose and epoch go into the key, mixed by
// one block of Philox under the seed, so that all 64 bits of the sample and of the position stay free.
KeyedRandom::KeyedRandom(std::uint64_t seed, RandomPurpose purpose, std::uint32_t epoch, std::uint64_t sample)
    : key_{low_word(seed), high_word(seed)}, counter_{0, 0, low_word(sample), high_word(sample)} {
  const auto mixed = philox4x32_10({static_cast<std::uint32_t>(purpose), epoch, 0, 0}, key_);
  key_ = {mixed[0], mixed[1]};
}

std::uint32_t KeyedRandom::next_u32() {
  if (used_ == 4) {
    block_ = philox4x32_10(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }
  return block_[static_cast<std::size_t>(used_++)];
}

float KeyedRandom::uniform() {
  return static_cast<float>(next_u32() >> 8) * 0x1p-24F;
}

// Multiplication instead of modulo; the few values that would make some results likelier are drawn again
// (Lemire, "Fast random integer generation in an interval", 2019).
std::uint32_t KeyedRandom::below(std::uint32_t bound) {
  const std::uint32_t threshold = (0U - bound) % bound;
  for (;;) {
    const std::uint64_t product = std::uint64_t{next_u32()} * bound;
    if (low_word(product) >= threshold) return high_word(product);
  }
}

float KeyedRandom::normal() {
  const double radius_draw = (next_u32() + 1.0) * 0x1p-32;  // in (0, 1], so that the logarithm is finite
  const double angle_draw = next_u32() * 0x1p-32;
  return static_cast<float>(std::sqrt(-2.0 * std::log(radius_draw)) *
                            std::cos(2.0 * std::numbers::pi * angle_draw));
}

}  // namespace whorl
