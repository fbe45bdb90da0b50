// SPDX-License-Identifier: BSD-3-Clause
// Compiled once for every instruction set (Highway's foreach_target.h), hence this guard instead of #pragma
// once.
#if defined(WHORL_NN_CPU_LANES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef WHORL_NN_CPU_LANES_INL
#undef WHORL_NN_CPU_LANES_INL
#else
#define WHORL_NN_CPU_LANES_INL
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace whorl::nn::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The widest vectors of this instruction set. A kernel goes over the channels of a block (8 or 16) in groups
/// of this many lanes, so `lanes` must divide the block: see instruction_set.hpp.
using Tag = hn::ScalableTag<float>;
using Vector = hn::Vec<Tag>;
constexpr int lanes = static_cast<int>(hn::MaxLanes(Tag()));

HWY_INLINE Vector load(const float* from) {
  return hn::LoadU(Tag(), from);
}
HWY_INLINE void store(const Vector& value, float* to) {
  hn::StoreU(value, Tag(), to);
}

}  // namespace whorl::nn::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
