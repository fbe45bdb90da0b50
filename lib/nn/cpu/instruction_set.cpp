// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/instruction_set.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nn/cpu/instruction_set.cpp"
#include <hwy/foreach_target.h>

#include <fmt/ranges.h>
#include <hwy/highway.h>

#include <cstdint>

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

std::vector<std::string> available_instruction_sets() {
  std::vector<std::string> names;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
    names.emplace_back(hwy::TargetName(target));
  return names;
}

std::string instruction_set() {
  return HWY_DYNAMIC_DISPATCH(target_name)();
}

void use_instruction_set(const std::string& name) {
  hwy::SetSupportedTargetsForTest(0);
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
    if (name == hwy::TargetName(target)) hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  require(name.empty() || name == instruction_set(), "no kernels for {}: there are {}", name,
          fmt::join(available_instruction_sets(), ", "));
}

void limit_lanes(int most) {
  if (most >= 16 || (hwy::SupportedTargets() & HWY_AVX3) == 0) return;
  hwy::DisableTargets(HWY_AVX3);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace whorl::nn::cpu
#endif
