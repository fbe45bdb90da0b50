// SPDX-License-Identifier: BSD-3-Clause
#include "collective/add.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace whorl::collective {
namespace {

TEST(Add, AddsExactlyTheSpanAtAnyLengthAndAlignment) {
  for (std::size_t offset = 0; offset < 5; ++offset) {
    for (std::size_t count = 0; count < 70; ++count) {
      std::vector<float> into(80), from(80);
      for (std::size_t i = 0; i < into.size(); ++i) {
        into[i] = static_cast<float>(i);
        from[i] = static_cast<float>(1000 + 3 * i);
      }
      add(std::span(into).subspan(offset, count), std::span(from).subspan(2 * offset, count));
      for (std::size_t i = 0; i < into.size(); ++i) {
        const bool inside = i >= offset && i < offset + count;
        const std::size_t expected = inside ? i + 1000 + 3 * (i + offset) : i;
        ASSERT_EQ(into[i], static_cast<float>(expected))
            << "element " << i << ", offset " << offset << ", count " << count;
      }
    }
  }
}

}  // namespace
}  // namespace whorl::collective
