// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

#include "nn/cpu/plane.hpp"

namespace whorl::nn::cpu {

/// Kernels over one plane of a blocked tensor. Per-channel arrays point at the plane's first channel. A plane
/// stays in cache between kernels, so several of them in a row cost one pass over memory.

enum class Curve { identity, relu, gelu };

/// y = (x - mean) * scale + shift, a channel each: batch-norm, a constant factor, or nothing at all.
struct Affine {
  const float* mean;
  const float* scale;
  const float* shift;
};

/// sums[c] = sum of x - origin, sums[block + c] = sum of (x - origin)^2, in double. An origin near the mean
/// keeps the digits of the variance.
void sums_of_plane(const PlaneExtent& extent, const ConstPlane& x, const float* origin, double* sums);

/// y = curve(affine(x) + residual); the residual may have null data, y may be x.
void forward_plane(const PlaneExtent& extent, const ConstPlane& x, const ConstPlane& residual,
                   const Affine& affine, Curve curve, const Plane& y);

/// The gradient through the curve, g = dy * curve'(affine(x) + residual), with sums[c] = sum of g and
/// sums[block + c] = sum of g (x - mean). g may be dy.
void backward_plane(const PlaneExtent& extent, const ConstPlane& dy, const ConstPlane& x,
                    const ConstPlane& residual, const Affine& affine, Curve curve, const Plane& g,
                    double* sums);

/// out = g * a + (x - mean) * b + c, a channel each: the gradient before a batch-norm. out may be g.
struct AffineGradient {
  const float* mean;
  const float* a;
  const float* b;
  const float* c;
};
void combine_plane(const PlaneExtent& extent, const ConstPlane& g, const ConstPlane& x,
                   const AffineGradient& gradient, const Plane& out);

void clear_plane(const PlaneExtent& extent, const Plane& plane);
void copy_plane(const PlaneExtent& extent, const ConstPlane& from, const Plane& to);
/// to += from.
void add_plane(const PlaneExtent& extent, const ConstPlane& from, const Plane& to);

}  // namespace whorl::nn::cpu
