// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/channel_sums.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace whorl::ingest {
namespace {

// Of any length, so that the vectorised part, its flushes and the rest are all crossed.
TEST(ChannelSums, MatchThePlainLoop) {
  for (const std::size_t pixel_count : {1, 15, 16, 17, 1000, 1100003}) {
    std::vector<std::uint8_t> pixels(pixel_count * 3);
    for (std::size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = static_cast<std::uint8_t>(i % 3 == 2 ? 255 - i / 3 % 2 : i * 7 / 3);
    std::array<std::uint64_t, 3> sum{}, squares{};
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      sum[i % 3] += pixels[i];
      squares[i % 3] += std::uint64_t{pixels[i]} * pixels[i];
    }
    ChannelSums sums;
    sums.add(std::span(pixels).first(pixels.size() / 6 * 3));
    sums.add(std::span(pixels).subspan(pixels.size() / 6 * 3));
    const auto count = static_cast<double>(pixel_count);
    for (std::size_t c = 0; c < 3; ++c) {
      const double mean = static_cast<double>(sum[c]) / count;
      EXPECT_EQ(sums.mean()[c], mean / 255.0);
      EXPECT_EQ(sums.standard_deviation()[c],
                std::sqrt(std::max(0.0, static_cast<double>(squares[c]) / count - mean * mean)) / 255.0);
    }
  }
}

TEST(ChannelSums, AreNeutralWithoutPixels) {
  const ChannelSums sums;
  EXPECT_EQ(sums.mean(), (std::array<double, 3>{0, 0, 0}));
  EXPECT_EQ(sums.standard_deviation(), (std::array<double, 3>{1, 1, 1}));
}

}  // namespace
}  // namespace whorl::ingest
