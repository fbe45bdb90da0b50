// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/digest.hpp"

#include <bit>
#include <limits>

#include "cuda_kernels/emulated_gpu.hpp"

namespace whorl::nn::cuda {
namespace {

using Sums = std::vector<std::uint64_t>;

/// As digest.hpp describes it.
Sums digest(std::vector<float> values) {
  return in_every_order([&] {
    // Kernels read the arena as 32-bit integers, which are as long.
    DeviceArray<float> arena(values);
    auto partials = DeviceArray<DigestPart>::poisoned(digest_blocks);
    digest_arena(std::ssize(values), arena.data(), partials.data(), nullptr);
    partials.expect_all_written();
    Sums sums{0, 0, 0};
    for (const DigestPart& part : partials.values()) {
      sums[0] += part.first;
      sums[1] += part.second;
      sums[2] += part.not_finite;
    }
    return sums;
  });
}

std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31);
}

std::vector<float> numbers(std::int64_t count) {
  std::vector<float> values;
  for (const double number : normal_numbers<float>(count, 1)) values.push_back(static_cast<float>(number));
  return values;
}

TEST(DigestKernel, IsTheSumOfHashesOfPlaceAndBits) {
  for (const std::int64_t count : {1, 255, 70000}) {
    const std::vector<float> values = numbers(count);
    Sums expected{0, 0, 0};
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint64_t hash = mix(i << 32 | std::bit_cast<std::uint32_t>(values[i]));
      expected[0] += hash;
      expected[1] += mix(hash + 0x9E3779B97F4A7C15U);
    }
    EXPECT_EQ(digest(values), expected);
  }
}

TEST(DigestKernel, SeesSwappedNumbersAndSigns) {
  std::vector<float> values = numbers(1000);
  const Sums before = digest(values);
  std::swap(values[3], values[900]);
  EXPECT_NE(digest(values), before);
  std::swap(values[3], values[900]);
  EXPECT_EQ(digest(values), before);
  values[999] = -values[999];
  EXPECT_NE(digest(values), before);
}

TEST(DigestKernel, CountsWhatIsNotFinite) {
  std::vector<float> values = numbers(40000);
  values[0] = std::numeric_limits<float>::max();
  EXPECT_EQ(digest(values)[2], 0U);
  values[1] = std::numeric_limits<float>::infinity();
  values[39999] = -values[1];
  values[300] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(digest(values)[2], 3U);
}

}  // namespace
}  // namespace whorl::nn::cuda
