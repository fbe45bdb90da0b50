// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cpu/lanes.hpp"

namespace whorl::nn::cpu {

/// exp(x) for x <= 0, relative error below 2e-7; 0 below -87.
template <int B>
WHORL_INLINE FloatLanes<B> exp_of_negative(const FloatLanes<B>& x) {
  // x = n ln 2 + r with |r| <= ln 2 / 2: n by adding and taking away 1.5 * 2^23, e^r by its Taylor polynomial, 2^n by the exponent bits.
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

/// Phi(x) = (1 + erf(x / sqrt 2)) / 2, absolute error below 2e-7, exactly 0 and 1 beyond +-5.6. The rational approximation of erf on
/// [-4, 4] is the one of Eigen (generic_fast_erf_float).
template <int B>
WHORL_INLINE FloatLanes<B> normal_distribution(const FloatLanes<B>& x) {
  const FloatLanes<B> zero = {};
  const FloatLanes<B> z = minimum<B>(maximum<B>(x * 0.70710678F, zero - 4.0F), zero + 4.0F);
  const FloatLanes<B> z2 = z * z;
  FloatLanes<B> p = z2 * -2.72614225801306e-10F + 2.77068142495902e-08F;
  p = p * z2 + -2.10102402082508e-06F;
  p = p * z2 + -5.69250639462346e-05F;
  p = p * z2 + -7.34990630326855e-04F;
  p = p * z2 + -2.95459980854025e-03F;
  p = p * z2 + -1.60960333262415e-02F;
  FloatLanes<B> q = z2 * -1.45660718464996e-05F + -2.13374055278905e-04F;
  q = q * z2 + -1.68282697438203e-03F;
  q = q * z2 + -7.37332916720468e-03F;
  q = q * z2 + -1.42647390514189e-02F;
  const FloatLanes<B> phi = 0.5F + 0.5F * (z * p / q);
  return x < -5.6F ? zero : (x > 5.6F ? zero + 1.0F : phi);
}

/// x Phi(x); absolute error below 8e-7 for |x| <= 6, no more than rounding beyond.
template <int B>
WHORL_INLINE FloatLanes<B> gelu(const FloatLanes<B>& x) {
  return x * normal_distribution<B>(x);
}

/// d gelu(x) / dx = Phi(x) + x phi(x); absolute error below 8e-7.
template <int B>
WHORL_INLINE FloatLanes<B> gelu_derivative(const FloatLanes<B>& x) {
  return normal_distribution<B>(x) + x * 0.39894228F * exp_of_negative<B>(x * x * -0.5F);
}

}  // namespace whorl::nn::cpu
