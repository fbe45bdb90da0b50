// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace whorl::nn::cpu {

/// Kernels over one plane of a blocked tensor: `pixels` pixels of `block` (8 or 16) channels. Per-channel
/// arrays point at the plane's first channel. A plane stays in cache between kernels, so several of them in a
/// row cost one pass over memory.

enum class Curve { identity, relu, gelu };

/// y = (x - mean) * scale + shift, a channel each: batch-norm, a constant factor, or nothing at all.
struct Affine {
  const float* mean;
  const float* scale;
  const float* shift;
};

/// sums[c] = sum of x - origin, sums[block + c] = sum of (x - origin)^2, in double. An origin near the mean
/// keeps the digits of the variance.
void sums_of_plane(const float* x, int pixels, int block, const float* origin, double* sums);

/// y = curve(affine(x) + residual); residual may be null, y may be x.
void forward_plane(const float* x, const float* residual, const Affine& affine, Curve curve, float* y,
                   int pixels, int block);

/// The gradient through the curve, g = dy * curve'(affine(x) + residual), with sums[c] = sum of g and
/// sums[block + c] = sum of g (x - mean). ReLU takes its sign from the output y. g may be dy.
void backward_plane(const float* dy, const float* x, const float* residual, const float* y,
                    const Affine& affine, Curve curve, float* g, double* sums, int pixels, int block);

/// out = g * a + (x - mean) * b + c, a channel each: the gradient before a batch-norm. out may be g.
struct AffineGradient {
  const float* mean;
  const float* a;
  const float* b;
  const float* c;
};
void combine_plane(const float* g, const float* x, const AffineGradient& gradient, float* out, int pixels,
                   int block);

/// to += from.
void add_to(float* to, const float* from, std::size_t count);

}  // namespace whorl::nn::cpu
