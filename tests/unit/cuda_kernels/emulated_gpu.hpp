// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "base/keyed_random.hpp"
#include "nn/cuda/kernels/bodies/element.hpp"
#include "nn/cuda/kernels/emulator/grid.hpp"
#include "nn/cuda/kernels/emulator/memory.hpp"
#include "nn/cuda/kernels/types.hpp"
#include "nn/reference/operations.hpp"

/// What the tests of kernels share: arrays in the emulated GPU's memory, numbers, and the reference's maps.
namespace whorl::nn::cuda {

using Doubles = std::vector<double>;

/// An array that kernels may access, within its bounds.
template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(std::vector<T> values)
      : values_(std::move(values)), registration_(values_.data(), values_.size(), sizeof(T)) {}
  /// Of NaNs (of -1, if T is an integer), for what a kernel is to write.
  static DeviceArray poisoned(std::int64_t count) {
    std::vector<T> values(static_cast<std::size_t>(count));
    std::memset(static_cast<void*>(values.data()), 0xff, values.size() * sizeof(T));
    return DeviceArray(std::move(values));
  }
  T* data() { return values_.data(); }
  const std::vector<T>& values() const { return values_; }
  Doubles numbers() const {
    Doubles numbers;
    for (const T& value : values_) numbers.push_back(double{to_float(value)});
    return numbers;
  }
  /// Elements [begin, end); a launch that writes one twice throws anyway.
  void expect_written(std::int64_t begin, std::int64_t end) const {
    const std::vector<int>& writers = registration_.last_writers();
    for (std::int64_t i = begin; i < end; ++i)
      ASSERT_GT(writers[static_cast<std::size_t>(i)], 0)
          << "element " << i << " of " << writers.size() << " was left out";
  }
  void expect_all_written() const { expect_written(0, std::ssize(values_)); }

 private:
  std::vector<T> values_;
  emulator::Registration registration_;
};

/// Rounded to the storage type.
template <typename T>
std::vector<T> stored(const Doubles& numbers) {
  std::vector<T> values(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) from_float(static_cast<float>(numbers[i]), values[i]);
  return values;
}
template <typename T>
DeviceArray<T> array_of(const Doubles& numbers) {
  return DeviceArray<T>(stored<T>(numbers));
}
inline DeviceArray<float> floats_of(const Doubles& numbers) {
  return array_of<float>(numbers);
}

/// Normal numbers as the storage type has them, around `mean`.
template <typename T>
Doubles normal_numbers(std::int64_t count, std::uint64_t stream, double mean = 0, double deviation = 1) {
  KeyedRandom random(1, RandomPurpose::test, 0, stream);
  Doubles numbers;
  for (std::int64_t i = 0; i < count; ++i) {
    T value;
    from_float(static_cast<float>(mean + deviation * double{random.normal()}), value);
    numbers.push_back(double{to_float(value)});
  }
  return numbers;
}

/// Calls run() with blocks and threads in several orders. All must return the same bits; returns them.
template <typename Run>
auto in_every_order(const Run& run) {
  emulator::Grid& grid = emulator::grid();
  grid.order = emulator::Order::forward;
  const auto expected = run();
  for (const auto& [order, seed] : {std::pair{emulator::Order::reverse, 0},
                                    {emulator::Order::shuffled, 1},
                                    {emulator::Order::shuffled, 1000}}) {
    grid.order = order;
    grid.seed = static_cast<std::uint64_t>(seed);
    const auto again = run();
    EXPECT_EQ(std::memcmp(again.data(), expected.data(), expected.size() * sizeof(expected[0])), 0)
        << "the result depends on the order of blocks and threads";
  }
  return expected;
}

template <typename T>
constexpr Storage storage_of = std::is_same_v<T, float>  ? Storage::float32
                               : std::is_same_v<T, Half> ? Storage::float16
                                                         : Storage::bfloat16;
/// The largest relative error of rounding to T once.
template <typename T>
constexpr double rounding_of = std::is_same_v<T, float>  ? 0x1p-24
                               : std::is_same_v<T, Half> ? 0x1p-11
                                                         : 0x1p-8;

/// Equal but for one rounding to T and the errors of float arithmetic, 3e-6 of the largest value.
template <typename T>
void expect_close(const Doubles& actual, const Doubles& expected, const std::string& what = "value") {
  ASSERT_EQ(actual.size(), expected.size());
  double largest = 0;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double bound = rounding_of<T> * std::abs(expected[i]) + 3e-6 * largest;
    ASSERT_LE(std::abs(actual[i] - expected[i]), bound)
        << what << " " << i << " of " << expected.size() << ": " << actual[i] << ", expected " << expected[i];
  }
}

/// (samples, H, W, C) to the reference's (samples, C, H, W), and back.
inline reference::Maps maps_of(const Extent& extent, const Doubles& nhwc) {
  reference::Maps maps(extent.samples, Shape{extent.channels, extent.height, extent.width});
  std::size_t i = 0;
  for (int n = 0; n < extent.samples; ++n)
    for (std::size_t position = 0; position < maps.plane_size(); ++position)
      for (int c = 0; c < extent.channels; ++c) maps.plane(n, c)[position] = nhwc[i++];
  return maps;
}
inline reference::Maps empty_maps(const Extent& extent) {
  return reference::Maps(extent.samples, Shape{extent.channels, extent.height, extent.width});
}
inline Doubles nhwc_of(reference::Maps maps) {
  Doubles nhwc;
  for (int n = 0; n < maps.samples; ++n)
    for (std::size_t position = 0; position < maps.plane_size(); ++position)
      for (int c = 0; c < maps.shape.channels; ++c) nhwc.push_back(maps.plane(n, c)[position]);
  return nhwc;
}

using StorageTypes = ::testing::Types<float, Half, BFloat16>;
struct StorageNames {
  template <typename T>
  static std::string GetName(int) {
    return storage_of<T> == Storage::float32   ? "float32"
           : storage_of<T> == Storage::float16 ? "float16"
                                               : "bfloat16";
  }
};

}  // namespace whorl::nn::cuda
