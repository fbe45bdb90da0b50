// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>

namespace whorl {

/// What a random stream is for; two purposes with the same seed, epoch and sample draw independent numbers.
enum class RandomPurpose : std::uint32_t {
  order,
  augmentation,
  initialisation,
  synthesis,
  split,
  test,
  study
};

/// Counter-based random numbers: the stream is a pure function of (seed, purpose, epoch, sample), so any rank
/// or thread draws the same numbers for the same sample. Philox 4x32-10 (Salmon et al., "Parallel random
/// numbers: as easy as 1, 2, 3", SC 2011).
class KeyedRandom {
 public:
  KeyedRandom(std::uint64_t seed, RandomPurpose purpose, std::uint32_t epoch, std::uint64_t sample);

  std::uint32_t next_u32();
  /// Uniform in [0, 1), 24 bits.
  float uniform();
  /// Uniform in [low, high).
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
  /// Uniform integer in [0, bound), without modulo bias. `bound` > 0.
  std::uint32_t below(std::uint32_t bound);
  /// Standard normal (Box-Muller).
  float normal();
  bool coin() { return (next_u32() >> 31) != 0; }

  /// Of purpose and epoch, mixed: with the sample as the counter's upper half, blocks of Philox under it are
  /// this stream. For those who draw it elsewhere.
  std::array<std::uint32_t, 2> key() const { return key_; }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

/// One Philox 4x32-10 block; exposed so that tests can compare with the published vectors.
std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key);

}  // namespace whorl
