// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <math.h>

#include "nn/cuda/kernels/bodies/target.hpp"
#include "nn/cuda/kernels/types.hpp"

namespace whorl::nn::cuda {

/// The normal distribution at z, with one exponential for both: 25 instructions, where erff() and expf() take
/// about 60, more than the memory traffic of the kernels around it hides. Abramowitz & Stegun, "Handbook of
/// Mathematical Functions", 7.1.26: the error of Phi and of z Phi is below 5e-7 for |z| <= 12, most of it
/// float's own rounding.
struct Normal {
  float distribution, density;
  WHORL_DEVICE explicit Normal(float z) {
    constexpr float p = 0.3275911F * 0.70710678F;
    const float t = reciprocal(1.0F + p * fabsf(z));
    const float exponential = expf(-0.5F * z * z);
    const float polynomial =
        t *
        (0.254829592F + t * (-0.284496736F + t * (1.421413741F + t * (-1.453152027F + t * 1.061405429F))));
    const float tail = 0.5F * exponential * polynomial;
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
