// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/pointwise.hpp"

#include <algorithm>

#include "base/simd.hpp"
#include "nn/cpu/gelu.hpp"
#include "nn/cpu/lanes.hpp"

namespace whorl::nn::cpu {

namespace {

/// Sums a run of at most this many terms in float before adding to the double total.
constexpr int run_length = 32;

template <int B>
struct Sums {
  DoubleLanes<B> first = {}, second = {};

  WHORL_INLINE void add(const FloatLanes<B>& a, const FloatLanes<B>& b) {
    first += __builtin_convertvector(a, DoubleLanes<B>);
    second += __builtin_convertvector(b, DoubleLanes<B>);
  }
  WHORL_INLINE void write(double* to) const {
    std::memcpy(to, &first, sizeof first);
    std::memcpy(to + B, &second, sizeof second);
  }
};

template <int B>
WHORL_INLINE void sums_body(const float* x, int pixels, const float* origin, double* sums) {
  const FloatLanes<B> o = load<B>(origin);
  Sums<B> total;
  for (int run = 0; run < pixels; run += run_length) {
    FloatLanes<B> first = {}, second = {};
    for (int i = run; i < std::min(pixels, run + run_length); ++i) {
      const FloatLanes<B> value = load<B>(x + i * B) - o;
      first += value;
      second += value * value;
    }
    total.add(first, second);
  }
  total.write(sums);
}

template <int B, Curve curve>
WHORL_INLINE FloatLanes<B> apply(const FloatLanes<B>& v) {
  if constexpr (curve == Curve::relu) return maximum<B>(v, FloatLanes<B>{});
  if constexpr (curve == Curve::gelu) return gelu<B>(v);
  return v;
}

template <int B, Curve curve, bool with_residual>
WHORL_INLINE void forward_body(const float* x, const float* residual, const Affine& affine, float* y,
                               int pixels) {
  const FloatLanes<B> mean = load<B>(affine.mean), scale = load<B>(affine.scale),
                      shift = load<B>(affine.shift);
  for (int i = 0; i < pixels; ++i) {
    FloatLanes<B> v = (load<B>(x + i * B) - mean) * scale + shift;
    if constexpr (with_residual) v += load<B>(residual + i * B);
    store<B>(y + i * B, apply<B, curve>(v));
  }
}

template <int B, Curve curve, bool with_residual>
WHORL_INLINE void backward_body(const float* dy, const float* x, const float* residual, const float* y,
                                const Affine& affine, float* g, double* sums, int pixels) {
  const FloatLanes<B> mean = load<B>(affine.mean), scale = load<B>(affine.scale),
                      shift = load<B>(affine.shift);
  Sums<B> total;
  for (int run = 0; run < pixels; run += run_length) {
    FloatLanes<B> first = {}, second = {};
    for (int i = run; i < std::min(pixels, run + run_length); ++i) {
      const FloatLanes<B> centred = load<B>(x + i * B) - mean;
      FloatLanes<B> gradient = load<B>(dy + i * B);
      if constexpr (curve == Curve::relu) {
        gradient = load<B>(y + i * B) > 0.0F ? gradient : FloatLanes<B>{};
      } else if constexpr (curve == Curve::gelu) {
        FloatLanes<B> v = centred * scale + shift;
        if constexpr (with_residual) v += load<B>(residual + i * B);
        gradient *= gelu_derivative<B>(v);
      }
      store<B>(g + i * B, gradient);
      first += gradient;
      second += gradient * centred;
    }
    total.add(first, second);
  }
  total.write(sums);
}

template <int B>
WHORL_INLINE void combine_body(const float* g, const float* x, const AffineGradient& gradient, float* out,
                               int pixels) {
  const FloatLanes<B> mean = load<B>(gradient.mean), a = load<B>(gradient.a), b = load<B>(gradient.b),
                      c = load<B>(gradient.c);
  for (int i = 0; i < pixels; ++i)
    store<B>(out + i * B, load<B>(g + i * B) * a + ((load<B>(x + i * B) - mean) * b + c));
}

/// Turns the run-time choice of block size, curve and residual into one of the compiled bodies.
template <int B, bool with_residual>
WHORL_INLINE void forward_for_curve(const float* x, const float* residual, const Affine& affine, Curve curve,
                                    float* y, int pixels) {
  if (curve == Curve::relu)
    return forward_body<B, Curve::relu, with_residual>(x, residual, affine, y, pixels);
  if (curve == Curve::gelu)
    return forward_body<B, Curve::gelu, with_residual>(x, residual, affine, y, pixels);
  forward_body<B, Curve::identity, with_residual>(x, residual, affine, y, pixels);
}

template <int B>
WHORL_INLINE void backward_for_curve(const float* dy, const float* x, const float* residual, const float* y,
                                     const Affine& affine, Curve curve, float* g, double* sums, int pixels) {
  if (curve == Curve::relu)
    return backward_body<B, Curve::relu, false>(dy, x, residual, y, affine, g, sums, pixels);
  if (curve == Curve::identity)
    return backward_body<B, Curve::identity, false>(dy, x, residual, y, affine, g, sums, pixels);
  if (residual != nullptr)
    return backward_body<B, Curve::gelu, true>(dy, x, residual, y, affine, g, sums, pixels);
  backward_body<B, Curve::gelu, false>(dy, x, residual, y, affine, g, sums, pixels);
}

}  // namespace

WHORL_SIMD_CLONES
void sums_of_plane(const float* x, int pixels, int block, const float* origin, double* sums) {
  block == 16 ? sums_body<16>(x, pixels, origin, sums) : sums_body<8>(x, pixels, origin, sums);
}

WHORL_SIMD_CLONES
void forward_plane(const float* x, const float* residual, const Affine& affine, Curve curve, float* y,
                   int pixels, int block) {
  if (block == 16 && residual != nullptr)
    return forward_for_curve<16, true>(x, residual, affine, curve, y, pixels);
  if (block == 16) return forward_for_curve<16, false>(x, residual, affine, curve, y, pixels);
  if (residual != nullptr) return forward_for_curve<8, true>(x, residual, affine, curve, y, pixels);
  forward_for_curve<8, false>(x, residual, affine, curve, y, pixels);
}

WHORL_SIMD_CLONES
void backward_plane(const float* dy, const float* x, const float* residual, const float* y,
                    const Affine& affine, Curve curve, float* g, double* sums, int pixels, int block) {
  block == 16 ? backward_for_curve<16>(dy, x, residual, y, affine, curve, g, sums, pixels)
              : backward_for_curve<8>(dy, x, residual, y, affine, curve, g, sums, pixels);
}

WHORL_SIMD_CLONES
void combine_plane(const float* g, const float* x, const AffineGradient& gradient, float* out, int pixels,
                   int block) {
  block == 16 ? combine_body<16>(g, x, gradient, out, pixels) : combine_body<8>(g, x, gradient, out, pixels);
}

WHORL_SIMD_CLONES
void add_to(float* to, const float* from, std::size_t count) {
#pragma omp simd
  for (std::size_t i = 0; i < count; ++i) to[i] += from[i];
}

}  // namespace whorl::nn::cpu
