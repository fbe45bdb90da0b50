// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/instruction_set.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nn/cpu/instruction_set.cpp"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include <cstdint>
#include <mutex>

#include "base/error.hpp"

HWY_BEFORE_NAMESPACE();
namespace whorl::nn::cpu::HWY_NAMESPACE {

const char* target_name() {
  return hwy::TargetName(HWY_TARGET);
}

}  // namespace whorl::nn::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl::nn::cpu {

HWY_EXPORT(target_name);

namespace {

/// Highway's own SupportedTargets() forgets, as it runs, what was disabled: every call has to be followed by
/// this.
void choose_target() {
  const std::int64_t targets = hwy::SupportedTargets();
  hwy::GetChosenTarget().Update(targets);
}

}  // namespace

std::vector<std::string> available_instruction_sets() {
  std::vector<std::string> names;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
    names.emplace_back(hwy::TargetName(target));
  choose_target();
  return names;
}

std::string instruction_set() {
  return HWY_DYNAMIC_DISPATCH(target_name)();
}

void use_instruction_set(const std::string& name) {
  hwy::SetSupportedTargetsForTest(0);
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
    if (name == hwy::TargetName(target)) hwy::SetSupportedTargetsForTest(target);
  choose_target();
  require(name.empty() || name == instruction_set(), "no kernels for {}", name);
}

void limit_lanes(int most) {
  if (most >= 16) return;
  static std::once_flag once;
  std::call_once(once, [] {
    hwy::DisableTargets(HWY_AVX2 - 1);  // lower bits stand for wider vectors
    choose_target();
  });
}

}  // namespace whorl::nn::cpu
#endif
