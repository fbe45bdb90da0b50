// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/norm.hpp"

#include "cuda_kernels/emulated_gpu.hpp"

namespace whorl::nn::cuda {
namespace {

template <typename T>
struct NormKernels : ::testing::Test {};
TYPED_TEST_SUITE(NormKernels, StorageTypes, StorageNames);

/// Channels around means of their own, up to 40 deviations away; the last is constant.
template <typename T>
Doubles odd_channels(const Extent& extent, std::uint64_t stream) {
  Doubles x = normal_numbers<T>(extent.count(), stream);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const int c = static_cast<int>(i) % extent.channels;
    x[i] = c + 1 == extent.channels ? 0.75 : x[i] * (1 + c % 3) + c % 5 * 10;
  }
  return array_of<T>(x).numbers();
}

struct Statistics {
  Doubles mean, inverse, factor, running_mean, running_variance;
};

/// norm_sums and norm_finish.
template <typename T>
Statistics statistics_of(const Extent& extent, const Doubles& x, float epsilon, const Doubles& scale) {
  const int channels = extent.channels;
  auto device_x = array_of<T>(x);
  auto device_scale = floats_of(scale);
  const Doubles all = in_every_order([&] {
    auto rows = DeviceArray<float>::poisoned(static_cast<std::int64_t>(partials_floats(channels)));
    const Partials partials{rows.data(), sum_blocks(extent)};
    norm_sums(storage_of<T>, extent, device_x.data(), partials, nullptr);
    rows.expect_written(0, channels);
    rows.expect_written(2 * channels, 2 * channels * (1 + partials.blocks));

    auto results = DeviceArray<float>::poisoned(5 * channels);
    float* to = results.data();
    norm_finish(
        {partials, channels, extent.positions(), epsilon, scale.empty() ? nullptr : device_scale.data(), to,
         to + channels, to + 2 * channels, to + 3 * channels, to + 4 * channels},
        nullptr);
    results.expect_all_written();
    return results.numbers();
  });
  const auto part = [&](int i) {
    return Doubles(all.begin() + i * channels, all.begin() + (i + 1) * channels);
  };
  return {part(0), part(1), part(2), part(3), part(4)};
}

template <typename T>
void check_statistics(const Extent& extent, float epsilon, bool has_scale) {
  SCOPED_TRACE(::testing::Message() << extent.channels << " channels, " << extent.positions()
                                    << " positions");
  const Doubles x = odd_channels<T>(extent, 1);
  const Doubles scale = has_scale ? normal_numbers<float>(extent.channels, 2) : Doubles();
  const auto expected = reference::channel_statistics(maps_of(extent, x));
  const Statistics actual = statistics_of<T>(extent, x, epsilon, scale);
  const auto positions = static_cast<double>(extent.positions());
  for (int c = 0; c < extent.channels; ++c) {
    const double variance = expected.variance[c];
    const double inverse = 1 / std::sqrt(variance + double{epsilon});
    EXPECT_NEAR(actual.mean[c], expected.mean[c], 1e-6 * (std::abs(expected.mean[c]) + std::sqrt(variance)));
    EXPECT_EQ(actual.running_mean[c], actual.mean[c]);
    EXPECT_NEAR(actual.running_variance[c], variance * positions / std::max(positions - 1, 1.0),
                1e-5 * variance);
    EXPECT_NEAR(actual.inverse[c], inverse, 1e-5 * inverse);
    EXPECT_NEAR(actual.factor[c], inverse * (has_scale ? scale[c] : 1), 2e-5 * inverse);
  }
}

TYPED_TEST(NormKernels, StatisticsOfABatch) {
  check_statistics<TypeParam>({3, 5, 7, 24}, 1e-12F, false);
  check_statistics<TypeParam>({9, 5, 7, 64}, 1e-5F, true);
  check_statistics<TypeParam>({9, 3, 3, 256}, 1e-5F, false);
  check_statistics<TypeParam>({1, 1, 1, 8}, 1e-5F, false);  // a single value: variance 0
}

TEST(NormKernelsOnce, MorePositionsThanBlocks) {
  check_statistics<float>({1, 19, 31, 2048}, 1e-5F, false);  // 589 positions, one for each block, 528 blocks
}

/// cuDNN's sums are around 0.
TEST(NormKernelsOnce, FinishesSumsOfOthers) {
  auto rows = floats_of({0, 0, 0, 0,  0, 0, 0, 0,  0,  0, 0, 0,  0,  0, 0, 0,  //
                         8, 4, 0, 12, 8, 4, 0, 12, 40, 8, 4, 40, 20, 5, 1, 35});
  auto results = DeviceArray<float>::poisoned(24);
  norm_finish({{rows.data(), 1},
               8,
               4,
               0.0F,
               nullptr,
               results.data(),
               results.data() + 8,
               results.data() + 16,
               nullptr,
               nullptr},
              nullptr);
  const Doubles actual = results.numbers();
  EXPECT_EQ(Doubles(actual.begin(), actual.begin() + 8), (Doubles{2, 1, 0, 3, 2, 1, 0, 3}));
  const Doubles variance{6, 1, 1, 1, 1, 0.25, 0.25, 0};  // the last, 35 / 4 - 9, is less than 0
  for (std::size_t c = 0; c < 8; ++c)
    EXPECT_FLOAT_EQ(results.values()[8 + c], static_cast<float>(1 / std::sqrt(variance[c])));
}

TEST(NormKernelsOnce, FactorsOfRunningStatistics) {
  const Doubles variance{0.5, 2, 8, 0, 1, 3, 4, 5}, scale{1, -2, 3, 4, 5, 6, 7, 8};
  auto device_variance = floats_of(variance), device_scale = floats_of(scale);
  auto factor = DeviceArray<float>::poisoned(8), plain = DeviceArray<float>::poisoned(8);
  norm_running_factor(8, device_variance.data(), 1e-3F, device_scale.data(), factor.data(), nullptr);
  norm_running_factor(8, device_variance.data(), 1e-3F, nullptr, plain.data(), nullptr);
  for (std::size_t c = 0; c < 8; ++c) {
    EXPECT_NEAR(factor.numbers()[c], scale[c] / std::sqrt(variance[c] + 1e-3), 1e-5 * std::abs(scale[c]));
    EXPECT_NEAR(plain.numbers()[c], 1 / std::sqrt(variance[c] + 1e-3), 1e-5);
  }
}

struct ApplyCase {
  Curve curve;
  bool has_norm, has_residual;
};
const ApplyCase apply_cases[] = {{Curve::identity, true, false}, {Curve::relu, true, true},
                                 {Curve::gelu, true, false},     {Curve::gelu, true, true},
                                 {Curve::gelu, false, false},    {Curve::relu, false, true}};

/// curve(affine(x) + residual) by the reference, without a norm curve(x + shift + residual).
Doubles applied(const Extent& extent, const ApplyCase& with, const Doubles& x,
                const reference::ChannelStatistics& statistics, const Doubles& scale, const Doubles& shift,
                const Doubles& residual) {
  reference::Maps z = empty_maps(extent), sum = z, y = z;
  const BatchNorm norm{.epsilon = with.has_norm ? 1e-5F : 0.0F};
  reference::batch_norm_forward(norm, maps_of(extent, x), statistics, scale, shift, z);
  if (with.has_residual) {
    reference::add_forward(z, maps_of(extent, residual), sum);
    z = sum;
  }
  if (with.curve == Curve::identity) return nhwc_of(z);
  reference::activation_forward({with.curve == Curve::relu ? Activation::relu : Activation::gelu}, z, y);
  return nhwc_of(y);
}

TYPED_TEST(NormKernels, Apply) {
  using T = TypeParam;
  const Extent extent{3, 5, 7, 24};
  const Doubles x = odd_channels<T>(extent, 3), residual = normal_numbers<T>(extent.count(), 4);
  const Doubles scale = normal_numbers<float>(24, 5), shift = normal_numbers<float>(24, 6);
  const auto statistics = reference::channel_statistics(maps_of(extent, x));
  Doubles factor;
  for (int c = 0; c < 24; ++c) factor.push_back(scale[c] / std::sqrt(statistics.variance[c] + 1e-5));
  auto device_x = array_of<T>(x), device_residual = array_of<T>(residual);
  auto device_mean = floats_of(statistics.mean), device_factor = floats_of(factor),
       device_shift = floats_of(shift);

  for (const ApplyCase& with : apply_cases) {
    SCOPED_TRACE(::testing::Message()
                 << "curve " << static_cast<int>(with.curve) << ", norm " << with.has_norm);
    const Affine affine = with.has_norm
                              ? Affine{device_mean.data(), device_factor.data(), device_shift.data()}
                              : Affine{nullptr, nullptr, device_shift.data()};
    const Doubles y = in_every_order([&] {
      auto device_y = DeviceArray<T>::poisoned(extent.count());
      norm_apply(storage_of<T>,
                 {extent, device_x.data(), affine, with.has_residual ? device_residual.data() : nullptr,
                  with.curve, device_y.data()},
                 nullptr);
      device_y.expect_all_written();
      return device_y.numbers();
    });
    const reference::ChannelStatistics none{Doubles(24, 0.0), Doubles(24, 1.0)};
    expect_close<T>(y, applied(extent, with, x, with.has_norm ? statistics : none,
                               with.has_norm ? scale : Doubles(), shift, residual));
  }
}

TYPED_TEST(NormKernels, ApplyInPlace) {
  using T = TypeParam;
  const Extent extent{2, 3, 3, 16};
  const Doubles x = normal_numbers<T>(extent.count(), 7), residual = normal_numbers<T>(extent.count(), 8);
  auto onto_x = array_of<T>(x), onto_residual = array_of<T>(residual), device_x = array_of<T>(x);
  norm_apply(storage_of<T>, {extent, onto_x.data(), {}, nullptr, Curve::relu, onto_x.data()}, nullptr);
  norm_apply(storage_of<T>,
             {extent, device_x.data(), {}, onto_residual.data(), Curve::identity, onto_residual.data()},
             nullptr);
  Doubles relu, sum;
  for (std::size_t i = 0; i < x.size(); ++i) {
    relu.push_back(std::max(x[i], 0.0));
    sum.push_back(x[i] + residual[i]);
  }
  EXPECT_EQ(onto_x.numbers(), relu);
  expect_close<T>(onto_residual.numbers(), sum);
}

TEST(NormKernelsOnce, ApplyToMorePositionsThanBlocks) {
  const Extent extent{1, 30, 40, 2048};  // 1200 positions, one for each block, 1056 blocks
  Doubles x, expected;
  for (std::int64_t i = 0; i < extent.count(); ++i) {
    x.push_back(static_cast<double>(i % 251 - 125));
    expected.push_back(std::max(x.back(), 0.0));
  }
  auto device_x = floats_of(x);
  auto y = DeviceArray<float>::poisoned(extent.count());
  norm_apply(Storage::float32, {extent, device_x.data(), {}, nullptr, Curve::relu, y.data()}, nullptr);
  EXPECT_EQ(y.numbers(), expected);
}

/// The GELU of float32 is as good as its comment says.
TEST(NormKernelsOnce, GeluOfAllMagnitudes) {
  const Extent extent{1, 1, 4000, 8};
  Doubles x;
  for (std::int64_t i = 0; i < extent.count(); ++i) x.push_back(-12 + 24 * static_cast<double>(i) / 31999);
  x = floats_of(x).numbers();
  auto device_x = floats_of(x);
  auto y = DeviceArray<float>::poisoned(extent.count());
  norm_apply(Storage::float32, {extent, device_x.data(), {}, nullptr, Curve::gelu, y.data()}, nullptr);
  for (std::size_t i = 0; i < x.size(); ++i)
    ASSERT_NEAR(double{y.values()[i]}, 0.5 * x[i] * std::erfc(-x[i] / std::sqrt(2.0)), 5e-7) << x[i];
}

}  // namespace
}  // namespace whorl::nn::cuda
