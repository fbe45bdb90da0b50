// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/pointwise.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nn/cpu/pointwise.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

#include "nn/cpu/gelu-inl.hpp"
#include "nn/cpu/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace whorl::nn::cpu::HWY_NAMESPACE {

/// Terms that are summed in float, at most twice as many, before their sum goes to the double total.
constexpr int run_length = 32;

/// Two sums per channel.
class Sums {
 public:
  HWY_INLINE Sums() : first_(hn::Zero(Tag())), second_(hn::Zero(Tag())) {}
  HWY_INLINE void add(const Vector& a, const Vector& b) {
    first_ = hn::Add(first_, a);
    second_ = hn::Add(second_, b);
  }
  HWY_INLINE void end_of_run(int terms) {
    terms_ += terms;
    if (terms_ >= run_length) flush();
  }
  HWY_INLINE void write(double* first, double* second) {
    flush();
    std::copy_n(totals_[0], lanes, first);
    std::copy_n(totals_[1], lanes, second);
  }

 private:
  HWY_INLINE void flush() {
    float run[2][lanes];
    store(first_, run[0]);
    store(second_, run[1]);
    for (int i = 0; i < lanes; ++i) totals_[0][i] += run[0][i];
    for (int i = 0; i < lanes; ++i) totals_[1][i] += run[1][i];
    first_ = second_ = hn::Zero(Tag());
    terms_ = 0;
  }
  Vector first_, second_;
  double totals_[2][lanes] = {};
  int terms_ = 0;
};

/// work(row, first pixel, pixels) over runs of at most run_length.
template <class Work>
HWY_INLINE void for_each_run(const PlaneExtent& extent, const Work& work) {
  for (int row = 0; row < extent.rows; ++row)
    for (int first = 0; first < extent.columns; first += run_length)
      work(row, first, std::min(run_length, extent.columns - first));
}

/// A group of lanes of a plane.
struct Source {
  const float* data;
  std::size_t row;
  std::size_t pixel;

  Source(const PlaneExtent& extent, const ConstPlane& plane, int lane)
      : data(plane.data + lane), row(std::size_t(plane.row_pixels) * extent.block), pixel(extent.block) {}
  /// Asks for what lies some way ahead: the caches' own prefetching ends at every 4 KB.
  HWY_INLINE Vector at(int y, int x) const {
    const float* from = data + y * row + x * pixel;
    __builtin_prefetch(from + 32 * pixel);
    return load(from);
  }
};
struct Target {
  float* data;
  std::size_t row;
  std::size_t pixel;

  Target(const PlaneExtent& extent, const Plane& plane, int lane)
      : data(plane.data + lane), row(std::size_t(plane.row_pixels) * extent.block), pixel(extent.block) {}
  HWY_INLINE float* at(int y, int x) const { return data + y * row + x * pixel; }
};

struct Identity {
  HWY_INLINE Vector operator()(const Vector& x) const { return x; }
};
struct One {
  HWY_INLINE Vector operator()(const Vector&) const { return hn::Set(Tag(), 1.0F); }
};
struct Relu {
  HWY_INLINE Vector operator()(const Vector& x) const { return hn::Max(x, hn::Zero(Tag())); }
};
struct ReluDerivative {
  HWY_INLINE Vector operator()(const Vector& x) const {
    return hn::IfThenElseZero(hn::Gt(x, hn::Zero(Tag())), hn::Set(Tag(), 1.0F));
  }
};

void sums_of_plane(const PlaneExtent& extent, const ConstPlane& x, const float* origin, double* sums) {
  for (int lane = 0; lane < extent.block; lane += lanes) {
    const Source from(extent, x, lane);
    const Vector o = load(origin + lane);
    Sums total;
    for_each_run(extent, [&](int row, int first, int pixels) HWY_ATTR {
      for (int i = first; i < first + pixels; ++i) {
        const Vector value = hn::Sub(from.at(row, i), o);
        total.add(value, hn::Mul(value, value));
      }
      total.end_of_run(pixels);
    });
    total.write(sums + lane, sums + extent.block + lane);
  }
}

template <bool with_residual, class Function>
HWY_INLINE void forward_body(const Function curve, const PlaneExtent& extent, const ConstPlane& x,
                             const ConstPlane& residual, const Affine& affine, const Plane& y) {
  for (int lane = 0; lane < extent.block; lane += lanes) {
    const Source from(extent, x, lane), second(extent, residual, lane);
    const Target to(extent, y, lane);
    const Vector mean = load(affine.mean + lane), scale = load(affine.scale + lane),
                 shift = load(affine.shift + lane);
    for (int row = 0; row < extent.rows; ++row)
      for (int i = 0; i < extent.columns; ++i) {
        Vector v = hn::MulAdd(hn::Sub(from.at(row, i), mean), scale, shift);
        if constexpr (with_residual) v = hn::Add(v, second.at(row, i));
        store(curve(v), to.at(row, i));
      }
  }
}

template <bool with_residual, class Function>
HWY_INLINE void backward_body(const Function derivative, const PlaneExtent& extent, const ConstPlane& dy,
                              const ConstPlane& x, const ConstPlane& residual, const Affine& affine,
                              const Plane& g, double* sums) {
  for (int lane = 0; lane < extent.block; lane += lanes) {
    const Source from(extent, x, lane), second(extent, residual, lane), above(extent, dy, lane);
    const Target to(extent, g, lane);
    const Vector mean = load(affine.mean + lane), scale = load(affine.scale + lane),
                 shift = load(affine.shift + lane);
    Sums total;
    for_each_run(extent, [&](int row, int first, int pixels) HWY_ATTR {
      for (int i = first; i < first + pixels; ++i) {
        const Vector centred = hn::Sub(from.at(row, i), mean);
        Vector v = hn::MulAdd(centred, scale, shift);
        if constexpr (with_residual) v = hn::Add(v, second.at(row, i));
        const Vector gradient = hn::Mul(above.at(row, i), derivative(v));
        store(gradient, to.at(row, i));
        total.add(gradient, hn::Mul(gradient, centred));
      }
      total.end_of_run(pixels);
    });
    total.write(sums + lane, sums + extent.block + lane);
  }
}

template <class Function>
void forward_by(const Function& curve, const PlaneExtent& extent, const ConstPlane& x,
                const ConstPlane& residual, const Affine& affine, const Plane& y) {
  residual.data == nullptr ? forward_body<false>(curve, extent, x, residual, affine, y)
                           : forward_body<true>(curve, extent, x, residual, affine, y);
}

template <class Function>
void backward_by(const Function& derivative, const PlaneExtent& extent, const ConstPlane& dy,
                 const ConstPlane& x, const ConstPlane& residual, const Affine& affine, const Plane& g,
                 double* sums) {
  residual.data == nullptr ? backward_body<false>(derivative, extent, dy, x, residual, affine, g, sums)
                           : backward_body<true>(derivative, extent, dy, x, residual, affine, g, sums);
}

void forward_plane(const PlaneExtent& extent, const ConstPlane& x, const ConstPlane& residual,
                   const Affine& affine, Curve curve, const Plane& y) {
  if (curve == Curve::relu) return forward_by(Relu(), extent, x, residual, affine, y);
  if (curve == Curve::gelu) return forward_by(Gelu(), extent, x, residual, affine, y);
  forward_by(Identity(), extent, x, residual, affine, y);
}

void backward_plane(const PlaneExtent& extent, const ConstPlane& dy, const ConstPlane& x,
                    const ConstPlane& residual, const Affine& affine, Curve curve, const Plane& g,
                    double* sums) {
  if (curve == Curve::relu) return backward_by(ReluDerivative(), extent, dy, x, residual, affine, g, sums);
  if (curve == Curve::gelu) return backward_by(GeluDerivative(), extent, dy, x, residual, affine, g, sums);
  backward_by(One(), extent, dy, x, residual, affine, g, sums);
}

void combine_plane(const PlaneExtent& extent, const ConstPlane& g, const ConstPlane& x,
                   const AffineGradient& gradient, const Plane& out) {
  for (int lane = 0; lane < extent.block; lane += lanes) {
    const Source of_output(extent, g, lane), from(extent, x, lane);
    const Target to(extent, out, lane);
    const Vector mean = load(gradient.mean + lane), a = load(gradient.a + lane), b = load(gradient.b + lane),
                 c = load(gradient.c + lane);
    for (int row = 0; row < extent.rows; ++row)
      for (int i = 0; i < extent.columns; ++i)
        store(hn::MulAdd(of_output.at(row, i), a, hn::MulAdd(hn::Sub(from.at(row, i), mean), b, c)),
              to.at(row, i));
  }
}

void add_plane(const PlaneExtent& extent, const ConstPlane& from, const Plane& to) {
  for (int lane = 0; lane < extent.block; lane += lanes) {
    const Source source(extent, from, lane);
    const Target target(extent, to, lane);
    for (int row = 0; row < extent.rows; ++row)
      for (int i = 0; i < extent.columns; ++i)
        store(hn::Add(load(target.at(row, i)), source.at(row, i)), target.at(row, i));
  }
}

}  // namespace whorl::nn::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl::nn::cpu {

HWY_EXPORT(sums_of_plane);
HWY_EXPORT(forward_plane);
HWY_EXPORT(backward_plane);
HWY_EXPORT(combine_plane);
HWY_EXPORT(add_plane);

void sums_of_plane(const PlaneExtent& extent, const ConstPlane& x, const float* origin, double* sums) {
  HWY_DYNAMIC_DISPATCH(sums_of_plane)(extent, x, origin, sums);
}

void forward_plane(const PlaneExtent& extent, const ConstPlane& x, const ConstPlane& residual,
                   const Affine& affine, Curve curve, const Plane& y) {
  HWY_DYNAMIC_DISPATCH(forward_plane)(extent, x, residual, affine, curve, y);
}

void backward_plane(const PlaneExtent& extent, const ConstPlane& dy, const ConstPlane& x,
                    const ConstPlane& residual, const Affine& affine, Curve curve, const Plane& g,
                    double* sums) {
  HWY_DYNAMIC_DISPATCH(backward_plane)(extent, dy, x, residual, affine, curve, g, sums);
}

void combine_plane(const PlaneExtent& extent, const ConstPlane& g, const ConstPlane& x,
                   const AffineGradient& gradient, const Plane& out) {
  HWY_DYNAMIC_DISPATCH(combine_plane)(extent, g, x, gradient, out);
}

void copy_plane(const PlaneExtent& extent, const ConstPlane& from, const Plane& to) {
  const std::size_t row = std::size_t(extent.columns) * extent.block;
  for (int y = 0; y < extent.rows; ++y)
    std::memcpy(to.data + std::size_t(y) * to.row_pixels * extent.block,
                from.data + std::size_t(y) * from.row_pixels * extent.block, row * sizeof(float));
}

void clear_plane(const PlaneExtent& extent, const Plane& plane) {
  for (int y = 0; y < extent.rows; ++y)
    std::memset(plane.data + std::size_t(y) * plane.row_pixels * extent.block, 0,
                sizeof(float) * extent.columns * extent.block);
}

void add_plane(const PlaneExtent& extent, const ConstPlane& from, const Plane& to) {
  HWY_DYNAMIC_DISPATCH(add_plane)(extent, from, to);
}

}  // namespace whorl::nn::cpu
#endif
