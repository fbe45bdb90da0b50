// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstring>

/// Arithmetic on the B neighbouring channels that a blocked tensor keeps side by side. GCC and clang lower
/// these vector types to whatever width the enclosing function is compiled for, so a kernel is written once
/// and WHORL_SIMD_CLONES gives it its instructions. Everything here has to be inlined into such a function.
#define WHORL_INLINE inline __attribute__((always_inline))

namespace whorl::nn::cpu {

template <int B>
using FloatLanes __attribute__((vector_size(B * 4))) = float;
template <int B>
using IntLanes __attribute__((vector_size(B * 4))) = std::int32_t;
template <int B>
using ShortLanes __attribute__((vector_size(B * 2))) = std::uint16_t;
template <int B>
using DoubleLanes __attribute__((vector_size(B * 8))) = double;

template <int B>
WHORL_INLINE FloatLanes<B> load(const float* from) {
  FloatLanes<B> lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

template <int B>
WHORL_INLINE void store(float* to, const FloatLanes<B>& lanes) {
  std::memcpy(to, &lanes, sizeof lanes);
}

template <int B>
WHORL_INLINE FloatLanes<B> maximum(const FloatLanes<B>& a, const FloatLanes<B>& b) {
  return a > b ? a : b;
}

template <int B>
WHORL_INLINE FloatLanes<B> minimum(const FloatLanes<B>& a, const FloatLanes<B>& b) {
  return a < b ? a : b;
}

}  // namespace whorl::nn::cpu
