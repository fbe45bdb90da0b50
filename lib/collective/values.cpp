// SPDX-License-Identifier: BSD-3-Clause
#include "collective/values.hpp"

#include "base/block_range.hpp"
#include "base/simd.hpp"

namespace whorl::collective {
namespace {

WHORL_SIMD_CLONES
void add_floats(float* __restrict into, const float* __restrict from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) into[i] += from[i];
}

WHORL_SIMD_CLONES
void add_integers(std::uint64_t* __restrict into, const std::uint64_t* __restrict from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) into[i] += from[i];
}

WHORL_SIMD_CLONES
void add_floats_into_both(float* __restrict a, float* __restrict b, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) a[i] = b[i] = a[i] + b[i];
}

WHORL_SIMD_CLONES
void add_integers_into_both(std::uint64_t* __restrict a, std::uint64_t* __restrict b, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) a[i] = b[i] = a[i] + b[i];
}

}  // namespace

const char* to_string(Element element) {
  return element == Element::float32 ? "float32" : "int64";
}

Values Values::part(int parts, int index) const {
  const Range range = block_range(static_cast<std::int64_t>(count_), parts, index);
  return subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.size()));
}

void add(Values into, Values from) {
  if (into.element() == Element::float32) {
    add_floats(reinterpret_cast<float*>(into.data()), reinterpret_cast<const float*>(from.data()),
               into.size());
  } else {
    add_integers(reinterpret_cast<std::uint64_t*>(into.data()),
                 reinterpret_cast<const std::uint64_t*>(from.data()), into.size());
  }
}

void add_into_both(Values a, Values b) {
  if (a.element() == Element::float32) {
    add_floats_into_both(reinterpret_cast<float*>(a.data()), reinterpret_cast<float*>(b.data()), a.size());
  } else {
    add_integers_into_both(reinterpret_cast<std::uint64_t*>(a.data()),
                           reinterpret_cast<std::uint64_t*>(b.data()), a.size());
  }
}

}  // namespace whorl::collective
