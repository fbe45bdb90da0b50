// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/fma_rate.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "doctor/fma_rate.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace whorl::doctor::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

int lanes() {
  return static_cast<int>(hn::Lanes(hn::ScalableTag<float>()));
}

// Ten chains hide the latency of two units (4 to 5 cycles each) and fit 16 registers with both factors.
float multiply_add(std::int64_t count) {
  const hn::ScalableTag<float> tag;
  const auto factor = hn::Set(tag, 0.999F), term = hn::Set(tag, 0.5F);
  auto a = hn::Iota(tag, 1.0F), b = hn::Iota(tag, 2.0F), c = hn::Iota(tag, 3.0F), d = hn::Iota(tag, 4.0F),
       e = hn::Iota(tag, 5.0F), f = hn::Iota(tag, 6.0F), g = hn::Iota(tag, 7.0F), h = hn::Iota(tag, 8.0F),
       i = hn::Iota(tag, 9.0F), j = hn::Iota(tag, 10.0F);
  for (std::int64_t done = 0; done < count; done += 10) {
    a = hn::MulAdd(a, factor, term);
    b = hn::MulAdd(b, factor, term);
    c = hn::MulAdd(c, factor, term);
    d = hn::MulAdd(d, factor, term);
    e = hn::MulAdd(e, factor, term);
    f = hn::MulAdd(f, factor, term);
    g = hn::MulAdd(g, factor, term);
    h = hn::MulAdd(h, factor, term);
    i = hn::MulAdd(i, factor, term);
    j = hn::MulAdd(j, factor, term);
  }
  const auto sum = hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, d)),
                           hn::Add(hn::Add(hn::Add(e, f), hn::Add(g, h)), hn::Add(i, j)));
  return hn::GetLane(hn::SumOfLanes(tag, sum));
}

}  // namespace whorl::doctor::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl::doctor {

HWY_EXPORT(lanes);
HWY_EXPORT(multiply_add);

int vector_lanes() {
  return HWY_DYNAMIC_DISPATCH(lanes)();
}

float run_fma(std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(multiply_add)(count);
}

}  // namespace whorl::doctor
#endif
