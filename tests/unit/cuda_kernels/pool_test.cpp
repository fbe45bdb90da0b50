// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/pool.hpp"

#include "cuda_kernels/emulated_gpu.hpp"

namespace whorl::nn::cuda {
namespace {

template <typename T>
struct PoolKernels : ::testing::Test {};
TYPED_TEST_SUITE(PoolKernels, StorageTypes, StorageNames);

const Pooling max_poolings[] = {
    {{3, 7, 5, 24}, 2, 2, 0},                               // the last row and column are left out
    {{2, 8, 9, 64}, 3, 2, 1},                               // resnet18's stem
    {{5, 3, 3, 256}, 3, 3, 0},                              // all that is left
    {{1, 16, 16, 8}, 16, 16, 0}, {{2, 9, 7, 16}, 2, 3, 1},  // cells between windows
};
const Pooling average_poolings[] = {
    {{3, 7, 7, 64}, 7, 7, 0}, {{2, 5, 6, 24}, 2, 1, 0}, {{2, 7, 8, 16}, 2, 3, 0}};

Pool reference_pool(const Pooling& pooling, Pool::Kind kind) {
  return {kind, pooling.window, pooling.stride, pooling.padding};
}

/// Quarters: many equal maxima.
template <typename T>
Doubles quarters(const Extent& extent) {
  Doubles x = normal_numbers<T>(extent.count(), 1);
  for (double& value : x) value = std::round(value * 4) / 4;
  return x;
}

TYPED_TEST(PoolKernels, MaxForwardAndBackward) {
  using T = TypeParam;
  for (const Pooling& pooling : max_poolings) {
    SCOPED_TRACE(::testing::Message() << "window " << pooling.window << ", stride " << pooling.stride);
    const Extent input = pooling.input, output = pooling.output();
    const Doubles x = quarters<T>(input), dy = normal_numbers<T>(output.count(), 2),
                  before = normal_numbers<T>(input.count(), 3);
    auto device_x = array_of<T>(x), device_dy = array_of<T>(dy);
    Doubles actual_y, actual_dx, actual_sum;
    in_every_order([&] {
      auto y = DeviceArray<T>::poisoned(output.count()), dx = DeviceArray<T>::poisoned(input.count());
      auto argmax = DeviceArray<std::uint8_t>::poisoned(output.count());
      auto sum = array_of<T>(before);
      max_pool_forward(storage_of<T>, pooling, device_x.data(), y.data(), argmax.data(), {}, nullptr);
      max_pool_backward(storage_of<T>, pooling, device_dy.data(), argmax.data(), dx.data(), false, nullptr);
      max_pool_backward(storage_of<T>, pooling, device_dy.data(), argmax.data(), sum.data(), true, nullptr);
      y.expect_all_written();
      argmax.expect_all_written();
      dx.expect_all_written();
      actual_y = y.numbers();
      actual_dx = dx.numbers();
      actual_sum = sum.numbers();
      return actual_dx;
    });
    const Pool pool = reference_pool(pooling, Pool::max);
    reference::Maps y = empty_maps(output), dx = empty_maps(input), sum = maps_of(input, before);
    reference::pool_forward(pool, maps_of(input, x), y);
    reference::pool_backward(pool, maps_of(input, x), maps_of(output, dy), &dx);
    reference::pool_backward(pool, maps_of(input, x), maps_of(output, dy), &sum);
    EXPECT_EQ(actual_y, nhwc_of(y));
    expect_close<T>(actual_dx, nhwc_of(dx), "dx");
    expect_close<T>(actual_sum, nhwc_of(sum), "dx added");
  }
}

/// The sums on the way are those of norm_sums over the pooled maps.
TYPED_TEST(PoolKernels, MaxWithSums) {
  using T = TypeParam;
  for (const Pooling& pooling : max_poolings) {
    const Extent output = pooling.output();
    const int channels = output.channels;
    const Doubles x = normal_numbers<T>(pooling.input.count(), 4, 3);
    auto device_x = array_of<T>(x);
    Doubles y;
    const Doubles statistics = in_every_order([&] {
      auto device_y = DeviceArray<T>::poisoned(output.count());
      auto argmax = DeviceArray<std::uint8_t>::poisoned(output.count());
      auto rows = DeviceArray<float>::poisoned(static_cast<std::int64_t>(partials_floats(channels)));
      auto results = DeviceArray<float>::poisoned(3 * channels);
      const Partials partials{rows.data(), sum_blocks(output)};
      max_pool_forward(storage_of<T>, pooling, device_x.data(), device_y.data(), argmax.data(), partials,
                       nullptr);
      norm_finish({.sums = partials,
                   .channels = channels,
                   .positions = output.positions(),
                   .epsilon = 1e-5F,
                   .mean = results.data(),
                   .inverse = results.data() + channels,
                   .factor = results.data() + 2 * channels},
                  nullptr);
      y = device_y.numbers();
      return results.numbers();
    });
    const auto expected = reference::channel_statistics(maps_of(output, y));
    for (int c = 0; c < channels; ++c) {
      EXPECT_NEAR(statistics[c], expected.mean[c], 3e-6 * std::abs(expected.mean[c]));
      const double inverse = 1 / std::sqrt(expected.variance[c] + 1e-5);
      EXPECT_NEAR(statistics[channels + c], inverse, 2e-5 * inverse);
    }
  }
}

TYPED_TEST(PoolKernels, AverageForwardAndBackward) {
  using T = TypeParam;
  for (const Pooling& pooling : average_poolings) {
    SCOPED_TRACE(::testing::Message() << "window " << pooling.window << ", stride " << pooling.stride);
    const Extent input = pooling.input, output = pooling.output();
    const Doubles x = normal_numbers<T>(input.count(), 5), dy = normal_numbers<T>(output.count(), 6),
                  before = normal_numbers<T>(input.count(), 7);
    auto device_x = array_of<T>(x), device_dy = array_of<T>(dy);
    Doubles actual_y, actual_sum;
    const Doubles actual_dx = in_every_order([&] {
      auto y = DeviceArray<T>::poisoned(output.count()), dx = DeviceArray<T>::poisoned(input.count());
      auto sum = array_of<T>(before);
      average_pool_forward(storage_of<T>, pooling, device_x.data(), y.data(), nullptr);
      average_pool_backward(storage_of<T>, pooling, device_dy.data(), dx.data(), false, nullptr);
      average_pool_backward(storage_of<T>, pooling, device_dy.data(), sum.data(), true, nullptr);
      y.expect_all_written();
      dx.expect_all_written();
      actual_y = y.numbers();
      actual_sum = sum.numbers();
      return dx.numbers();
    });
    const Pool pool = reference_pool(pooling, Pool::average);
    reference::Maps y = empty_maps(output), dx = empty_maps(input), sum = maps_of(input, before);
    reference::pool_forward(pool, maps_of(input, x), y);
    reference::pool_backward(pool, maps_of(input, x), maps_of(output, dy), &dx);
    reference::pool_backward(pool, maps_of(input, x), maps_of(output, dy), &sum);
    expect_close<T>(actual_y, nhwc_of(y), "y");
    expect_close<T>(actual_dx, nhwc_of(dx), "dx");
    expect_close<T>(actual_sum, nhwc_of(sum), "dx added");
  }
}

}  // namespace
}  // namespace whorl::nn::cuda
