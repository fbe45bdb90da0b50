// SPDX-License-Identifier: BSD-3-Clause
// Compiled once for every instruction set (Highway's foreach_target.h), hence this guard instead of #pragma
// once.
#if defined(WHORL_NN_CPU_GELU_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef WHORL_NN_CPU_GELU_INL
#undef WHORL_NN_CPU_GELU_INL
#else
#define WHORL_NN_CPU_GELU_INL
#endif

#include <hwy/highway.h>

#include "nn/cpu/gelu_table.hpp"
#include "nn/cpu/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace whorl::nn::cpu::HWY_NAMESPACE {

#if HWY_TARGET == HWY_AVX3

/// A polynomial per interval of |x|, whose coefficients lie in registers: AVX-512 looks 32 of them up in one
/// instruction, for which Highway 1.0 has no name.
template <int degree>
class PiecewisePolynomial {
 public:
  explicit PiecewisePolynomial(const IntervalTable<degree>& table) {
    for (int power = 0; power <= degree; ++power) {
      low_[power] = load(table.coefficients[power]);
      high_[power] = load(table.coefficients[power] + lanes);
    }
  }
  HWY_INLINE Vector operator()(const Vector& magnitude) const {
    const Vector position =
        hn::Min(hn::Mul(magnitude, hn::Set(Tag(), 1 / gelu_interval)), hn::Set(Tag(), gelu_intervals - 0.5F));
    const hn::Vec<hn::RebindToSigned<Tag>> interval{
        _mm512_cvttps_epi32(position.raw)};  // in range, unlike ConvertTo's
    const Vector r = hn::Sub(position, hn::ConvertTo(Tag(), interval));
    const auto coefficient = [&](int power) HWY_ATTR {
      return Vector{_mm512_permutex2var_ps(low_[power].raw, interval.raw, high_[power].raw)};
    };
    Vector sum = coefficient(degree);
#pragma GCC unroll 8
    for (int power = degree - 1; power >= 0; --power) sum = hn::MulAdd(sum, r, coefficient(power));
    return sum;
  }

 private:
  Vector low_[degree + 1], high_[degree + 1];
};

/// x Phi(x) = x / 2 + |x| (Phi(|x|) - 1/2), absolute error below 3e-7 for |x| <= 10.
class Gelu {
 public:
  Gelu() : half_(gelu_tables().distribution) {}
  HWY_INLINE Vector operator()(const Vector& x) const {
    const Vector magnitude = hn::Abs(x);
    return hn::MulAdd(magnitude, half_(magnitude), hn::Mul(x, hn::Set(Tag(), 0.5F)));
  }

 private:
  PiecewisePolynomial<3> half_;
};

/// Its derivative, Phi(x) + x phi(x), absolute error below 4e-7.
class GeluDerivative {
 public:
  GeluDerivative() : half_(gelu_tables().derivative) {}
  HWY_INLINE Vector operator()(const Vector& x) const {
    return hn::Add(hn::Set(Tag(), 0.5F), hn::CopySignToAbs(half_(hn::Abs(x)), x));
  }

 private:
  PiecewisePolynomial<4> half_;
};

#else

/// exp(x) for x <= 0, relative error below 3e-7; 0 below -87.
HWY_INLINE Vector exp_of_negative(const Vector& given) {
  const Tag d;
  const Vector x = hn::Max(given, hn::Set(d, -88.0F));
  // x = n ln 2 + r with |r| <= ln 2 / 2: e^r by its Taylor polynomial, 2^n by the exponent bits.
  const Vector n = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504F)));
  Vector r = hn::NegMulAdd(n, hn::Set(d, 0.693359375F), x);
  r = hn::MulAdd(n, hn::Set(d, 2.12194440e-4F), r);
  Vector p = hn::Set(d, 1.38888889e-3F);
  for (const float coefficient : {8.33333333e-3F, 4.16666667e-2F, 1.66666667e-1F, 0.5F, 1.0F, 1.0F})
    p = hn::MulAdd(p, r, hn::Set(d, coefficient));
  const hn::RebindToSigned<Tag> integers;
  const auto power = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(integers, n), hn::Set(integers, 127)));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -87.0F)), hn::Mul(p, hn::BitCast(d, power)));
}

/// Phi(x) = (1 + erf(x / sqrt 2)) / 2 and e^(-x^2 / 2), which both GELU and its derivative need. Phi is
/// Abramowitz & Stegun 7.1.26, whose error of 1.5e-7 dies away with the exponential.
struct Normal {
  Vector distribution, exponential;

  explicit HWY_INLINE Normal(const Vector& x) {
    const Tag d;
    const Vector z = hn::Mul(hn::Abs(x), hn::Set(d, 0.70710678F)), one = hn::Set(d, 1.0F);
    const Vector t = hn::Div(one, hn::MulAdd(z, hn::Set(d, 0.3275911F), one));
    Vector p = hn::Set(d, 1.061405429F);
    for (const float coefficient : {-1.453152027F, 1.421413741F, -0.284496736F, 0.254829592F})
      p = hn::MulAdd(p, t, hn::Set(d, coefficient));
    exponential = exp_of_negative(hn::Neg(hn::Mul(z, z)));
    const Vector tail = hn::Mul(hn::Mul(hn::Mul(p, t), exponential), hn::Set(d, 0.5F));
    distribution = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(one, tail));
  }
};

/// x Phi(x), absolute error below 3e-7 for |x| <= 10.
struct Gelu {
  HWY_INLINE Vector operator()(const Vector& x) const { return hn::Mul(x, Normal(x).distribution); }
};

/// Its derivative, Phi(x) + x e^(-x^2 / 2) / sqrt(2 pi), absolute error below 4e-7.
struct GeluDerivative {
  HWY_INLINE Vector operator()(const Vector& x) const {
    const Normal normal(x);
    return hn::MulAdd(hn::Mul(x, hn::Set(Tag(), 0.39894228F)), normal.exponential, normal.distribution);
  }
};

#endif

}  // namespace whorl::nn::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
