// SPDX-License-Identifier: BSD-3-Clause
#include "collective/add.hpp"

#include <cstddef>

#include "base/simd.hpp"

namespace whorl::collective {

WHORL_SIMD_CLONES
void add(std::span<float> into, std::span<const float> from) {
  float* __restrict sum = into.data();
  const float* __restrict term = from.data();
  const std::size_t count = into.size();
  for (std::size_t i = 0; i < count; ++i) sum[i] += term[i];
}

}  // namespace whorl::collective
