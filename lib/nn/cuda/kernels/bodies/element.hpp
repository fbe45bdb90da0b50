// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#define WHORL_DEVICE __device__ __forceinline__
#else
#include <bit>
#define WHORL_DEVICE inline
#endif

/// The 16-bit types that tensors are stored in, as bits. A GPU converts them by its instructions, the
/// emulator by the few lines at the end of this file; both round to the nearest, ties to even.
namespace whorl::nn::cuda {

struct Half {
  std::uint16_t bits;
};
struct BFloat16 {
  std::uint16_t bits;
};

#ifdef __CUDACC__

WHORL_DEVICE float to_float(Half value) {
  return __half2float(__ushort_as_half(value.bits));
}
WHORL_DEVICE float to_float(BFloat16 value) {
  return __bfloat162float(__ushort_as_bfloat16(value.bits));
}
WHORL_DEVICE void from_float(float value, Half& stored) {
  stored.bits = __half_as_ushort(__float2half_rn(value));
}
WHORL_DEVICE void from_float(float value, BFloat16& stored) {
  stored.bits = __bfloat16_as_ushort(__float2bfloat16_rn(value));
}

#else

inline float to_float(BFloat16 value) {
  return std::bit_cast<float>(std::uint32_t{value.bits} << 16);
}
// Exponent and fraction of a half, shifted into place, are those of a float that is 2^112 times smaller.
inline float to_float(Half value) {
  const std::uint32_t magnitude = std::uint32_t{value.bits & 0x7fffU} << 13;
  const std::uint32_t sign = std::uint32_t{value.bits & 0x8000U} << 16;
  if (magnitude >= 0x0f800000U) return std::bit_cast<float>(sign | 0x70000000U | magnitude);  // infinity, NaN
  return std::bit_cast<float>(sign |
                              std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112F));
}
inline void from_float(float value, BFloat16& stored) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = value != value ? bits | 0x400000U : bits + 0x7fffU + (bits >> 16 & 1U);
  stored.bits = static_cast<std::uint16_t>(rounded >> 16);
}
// Adding and taking away a power of two rounds to the half's last place; it is 2^-10 of the value's own power
// of two, and never below 2^-24.
inline void from_float(float value, Half& stored) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000U);
  const float magnitude = std::bit_cast<float>(bits & 0x7fffffffU);
  std::uint32_t half = 0x7e00U;  // NaN
  if (magnitude >= 65520) {
    half = 0x7c00U;
  } else if (magnitude == magnitude) {
    const std::uint32_t power = std::bit_cast<std::uint32_t>(magnitude) & 0x7f800000U;
    const float rounder = std::bit_cast<float>((power < 0x38800000U ? 0x38800000U : power) + (13U << 23));
    const float rounded = (magnitude + rounder) - rounder;
    half = std::bit_cast<std::uint32_t>(rounded * 0x1p-112F) >> 13;
  }
  stored.bits = static_cast<std::uint16_t>(sign | half);
}

#endif

WHORL_DEVICE float to_float(float value) {
  return value;
}
WHORL_DEVICE void from_float(float value, float& stored) {
  stored = value;
}

}  // namespace whorl::nn::cuda
