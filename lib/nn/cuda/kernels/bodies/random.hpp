// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/bodies/target.hpp"
#include "nn/cuda/kernels/draws.hpp"

namespace whorl::nn::cuda {

/// The numbers that KeyedRandom (base/keyed_random.hpp) draws for one sample: Philox 4x32-10. A block of four
/// is handed out by moving it up, since an index would put it into local memory.
class SampleRandom {
 public:
  WHORL_DEVICE SampleRandom(const StreamKey& key, std::uint64_t sample)
      : key_(key),
        sample_low_(static_cast<std::uint32_t>(sample)),
        sample_high_(static_cast<std::uint32_t>(sample >> 32)) {}

  WHORL_DEVICE std::uint32_t next() {
    if (left_ == 0) make_block();
    const std::uint32_t value = block0_;
    block0_ = block1_;
    block1_ = block2_;
    block2_ = block3_;
    --left_;
    return value;
  }
  WHORL_DEVICE bool coin() { return next() >> 31 != 0; }
  /// Uniform in [0, bound), by multiplication; the few values that would make some results likelier are drawn
  /// again.
  WHORL_DEVICE std::uint32_t below(std::uint32_t bound) {
    const std::uint32_t threshold = (0U - bound) % bound;
    for (;;) {
      const std::uint64_t product = std::uint64_t{next()} * bound;
      if (static_cast<std::uint32_t>(product) >= threshold) return static_cast<std::uint32_t>(product >> 32);
    }
  }

 private:
  WHORL_DEVICE void make_block() {
    std::uint32_t c0 = position_++, c1 = 0, c2 = sample_low_, c3 = sample_high_;
    StreamKey key = key_;
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * c0,
                          product1 = std::uint64_t{0xCD9E8D57U} * c2;
      c0 = static_cast<std::uint32_t>(product1 >> 32) ^ c1 ^ key.low;
      c1 = static_cast<std::uint32_t>(product1);
      c2 = static_cast<std::uint32_t>(product0 >> 32) ^ c3 ^ key.high;
      c3 = static_cast<std::uint32_t>(product0);
      key.low += 0x9E3779B9U;
      key.high += 0xBB67AE85U;
    }
    block0_ = c0;
    block1_ = c1;
    block2_ = c2;
    block3_ = c3;
    left_ = 4;
  }

  StreamKey key_;
  std::uint32_t sample_low_, sample_high_, position_ = 0;
  std::uint32_t block0_ = 0, block1_ = 0, block2_ = 0, block3_ = 0;
  int left_ = 0;
};

}  // namespace whorl::nn::cuda
