// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/types.hpp"

namespace whorl::nn::cuda {

/// A fingerprint of an arena, to be compared with other ranks', and how many of its floats are no numbers:
/// the sums, over the digest_blocks entries of `partials`, of each of their members.
struct DigestPart {
  std::uint64_t first = 0, second = 0;
  std::uint64_t not_finite = 0;
};
inline constexpr int digest_blocks = 128;
/// `floats`: at least 1; `partials`, (digest_blocks), is set.
void digest_arena(std::int64_t floats, const float* arena, DigestPart* partials, Stream stream);

}  // namespace whorl::nn::cuda
