// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/memory_plan.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <tuple>

namespace whorl::nn::cpu {
namespace {

constexpr std::size_t page = 4096;

TEST(MemoryPlan, BuffersOfDifferentTimesShareAnAddress) {
  MemoryPlan plan;
  const int early = plan.reserve(3 * page, 0, 1), late = plan.reserve(3 * page, 2, 3);
  const int across = plan.reserve(page, 1, 2);
  plan.allocate();
  EXPECT_EQ(plan.at(early), plan.at(late));
  EXPECT_EQ(plan.at(across), plan.at(early) + 3 * page);
  EXPECT_EQ(plan.bytes(), 4 * page);
}

TEST(MemoryPlan, AGapIsFilledOnlyByWhatFits) {
  MemoryPlan plan;
  const int low = plan.reserve(4 * page, 0, 9), gone = plan.reserve(3 * page, 0, 4),
            high = plan.reserve(2 * page, 0, 9);
  const int fits = plan.reserve(page, 5, 9), too_large = plan.reserve(5 * page, 5, 9);
  plan.allocate();
  const auto end = [&](int number, std::size_t bytes) { return plan.at(number) + bytes; };
  for (const auto& [a, a_bytes, b, b_bytes] : {std::tuple{low, 4 * page, gone, 3 * page},
                                               {low, 4 * page, high, 2 * page},
                                               {gone, 3 * page, high, 2 * page},
                                               {low, 4 * page, fits, page},
                                               {high, 2 * page, fits, page},
                                               {low, 4 * page, too_large, 5 * page},
                                               {high, 2 * page, too_large, 5 * page},
                                               {fits, page, too_large, 5 * page}})
    EXPECT_TRUE(end(a, a_bytes) <= plan.at(b) || end(b, b_bytes) <= plan.at(a));
  EXPECT_EQ(plan.bytes(), 12 * page);
}

TEST(HugeBuffer, IsAlignedAndZero) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{5}, std::size_t{3} << 20}) {
    const HugeBuffer buffer(bytes);
    EXPECT_GE(buffer.bytes(), bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % (bytes > page ? std::size_t{2} << 20 : page),
              0U);
    for (std::size_t i = 0; i < buffer.bytes(); ++i) ASSERT_EQ(buffer.data()[i], std::byte{0});
  }
}

}  // namespace
}  // namespace whorl::nn::cpu
