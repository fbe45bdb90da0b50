// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <math.h>

#include "nn/cuda/kernels/bodies/target.hpp"
#include "nn/cuda/kernels/types.hpp"

namespace whorl::nn::cuda {

/// The normal distribution at z, from one exponential and one reciprocal: a slope takes 17 instructions of
/// PTX, where erff() and expf() make it 50 and, by the count of an H100's lanes, longer than the memory
/// traffic around it. Abramowitz & Stegun, "Handbook of Mathematical Functions", 7.1.26: the errors of Phi
/// and of z Phi are below 5e-7 for |z| <= 12 with a host's exponential and reciprocal; those of a GPU are
/// good to 2^-22 of the result.
struct Normal {
  float distribution, density;
  WHORL_DEVICE explicit Normal(float z) {
    constexpr float p = 0.3275911F * 0.70710678F;
    const float t = reciprocal(1.0F + p * fabsf(z));
    const float exponential = power_of_two(-0.72134752F * (z * z));  // exp(-z^2 / 2)
    const float half_polynomial =
        t *
        (0.127414796F + t * (-0.142248368F + t * (0.7107068705F + t * (-0.7265760135F + t * 0.5307027145F))));
    const float tail = exponential * half_polynomial;
    distribution = z < 0 ? tail : 1.0F - tail;
    density = 0.39894228F * exponential;
  }
};

WHORL_DEVICE float curve_value(Curve curve, float z) {
  if (curve == Curve::gelu) return z * Normal(z).distribution;
  return curve == Curve::relu && z < 0 ? 0.0F : z;
}

WHORL_DEVICE float curve_slope(Curve curve, float z) {
  if (curve == Curve::gelu) {
    const Normal normal(z);
    return normal.distribution + z * normal.density;
  }
  return curve == Curve::relu && z <= 0 ? 0.0F : 1.0F;
}

}  // namespace whorl::nn::cuda
