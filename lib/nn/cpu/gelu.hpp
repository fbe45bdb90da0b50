// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cpu/lanes.hpp"

namespace whorl::nn::cpu {

/// exp(x) for x <= 0, relative error below 3e-7; 0 below -87.
template <int B>
WHORL_INLINE FloatLanes<B> exp_of_negative(const FloatLanes<B>& given) {
  const FloatLanes<B> x = maximum<B>(given, FloatLanes<B>{} - 88.0F);
  // x = n ln 2 + r with |r| <= ln 2 / 2: n by adding and taking away 1.5 * 2^23, e^r by its Taylor
  // polynomial, 2^n by the exponent bits.
  const FloatLanes<B> shifted = x * 1.44269504F + 12582912.0F;
  const FloatLanes<B> n = shifted - 12582912.0F;
  const FloatLanes<B> r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  FloatLanes<B> p = r * 1.38888889e-3F + 8.33333333e-3F;
  p = p * r + 4.16666667e-2F;
  p = p * r + 1.66666667e-1F;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const IntLanes<B> power = (__builtin_convertvector(n, IntLanes<B>) + 127) << 23;
  FloatLanes<B> scale;
  std::memcpy(&scale, &power, sizeof scale);
  return x < -87.0F ? FloatLanes<B>{} : p * scale;
}

/// Phi(x) = (1 + erf(x / sqrt 2)) / 2 and e^(-x^2 / 2), which both GELU and its derivative need. Phi is
/// Abramowitz & Stegun 7.1.26, whose error of 1.5e-7 dies away with the exponential.
template <int B>
struct Normal {
  FloatLanes<B> distribution, exponential;

  explicit WHORL_INLINE Normal(const FloatLanes<B>& x) {
    const FloatLanes<B> z = maximum<B>(x, -x) * 0.70710678F;
    const FloatLanes<B> t = 1.0F / (z * 0.3275911F + 1.0F);
    FloatLanes<B> p = t * 1.061405429F - 1.453152027F;
    p = p * t + 1.421413741F;
    p = p * t - 0.284496736F;
    p = p * t + 0.254829592F;
    exponential = exp_of_negative<B>(-z * z);
    const FloatLanes<B> tail = p * t * exponential * 0.5F;
    distribution = x < 0.0F ? tail : 1.0F - tail;
  }
};

/// x Phi(x), absolute error below 3e-7 for |x| <= 10.
template <int B>
WHORL_INLINE FloatLanes<B> gelu(const FloatLanes<B>& x) {
  return x * Normal<B>(x).distribution;
}

/// d gelu(x) / dx = Phi(x) + x e^(-x^2 / 2) / sqrt(2 pi), absolute error below 4e-7.
template <int B>
WHORL_INLINE FloatLanes<B> gelu_derivative(const FloatLanes<B>& x) {
  const Normal<B> normal(x);
  return normal.distribution + x * 0.39894228F * normal.exponential;
}

}  // namespace whorl::nn::cpu
