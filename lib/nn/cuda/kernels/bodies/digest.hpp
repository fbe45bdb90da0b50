// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/bodies/channels.hpp"
#include "nn/cuda/kernels/digest.hpp"

// for each float i of the arena, as 32 bits:
//   h = mix(i * 2^32 + bits[i]);  first += h;  second += mix(h + odd)       (64 bits, wrapping)
//   not_finite += all bits of the exponent are set
// Sums do not depend on any order, and the place of each float is mixed in. Bytes: 4 for each float; integer
// operations: 17.
namespace whorl::nn::cuda {

struct DigestKernel {
  static constexpr int threads = 256;
  static constexpr std::uint32_t exponent = 0x7f800000;
  struct Shared {
    Array<std::uint64_t, threads> first, second, not_finite;
  };
  std::int64_t floats;
  In<std::uint32_t> bits;
  Out<DigestPart> partials;

  WHORL_DEVICE void operator()(Block& block, Shared& shared) {
    block.phase([&](int thread) {
      std::uint64_t first = 0, second = 0, not_finite = 0;
      const std::int64_t step = std::int64_t{block.count()} * threads;
      for (std::int64_t i = global_thread<DigestKernel>(block, thread); i < floats; i += step) {
        const std::uint64_t hash = mix(static_cast<std::uint64_t>(i) << 32 | bits.at(i));
        first += hash;
        second += mix(hash + 0x9E3779B97F4A7C15U);
        not_finite += (bits.at(i) & exponent) == exponent;
      }
      shared.first[thread] = first;
      shared.second[thread] = second;
      shared.not_finite[thread] = not_finite;
    });
    add_by_tree(block, shared.first, 1);
    add_by_tree(block, shared.second, 1);
    add_by_tree(block, shared.not_finite, 1);
    block.phase([&](int thread) {
      if (thread == 0) partials.put(block.index(), {shared.first[0], shared.second[0], shared.not_finite[0]});
    });
  }

  /// The finaliser of SplitMix64 (Steele et al. 2014).
  static WHORL_DEVICE std::uint64_t mix(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
    return value ^ (value >> 31);
  }
};

}  // namespace whorl::nn::cuda
