// SPDX-License-Identifier: BSD-3-Clause
#include "cuda_kernels/emulated_gpu.hpp"
#include "nn/cuda/kernels/norm.hpp"
#include "nn/cuda/kernels/pool.hpp"

namespace whorl::nn::cuda {
namespace {

template <typename T>
struct NormBackwardKernels : ::testing::Test {};
TYPED_TEST_SUITE(NormBackwardKernels, StorageTypes, StorageNames);

/// Inputs of a backward pass through max pooling (window 1: none), batch-norm, residual sum and activation.
template <typename T>
struct Problem {
  Extent unpooled;
  int window;
  bool has_residual;
  Curve curve;
  Extent extent{unpooled.samples, unpooled.height / window, unpooled.width / window, unpooled.channels};
  int channels = extent.channels;
  BatchNorm norm{.epsilon = 1e-5F};
  Pool pool{.window = window, .stride = window};

  Doubles input = normal_numbers<T>(unpooled.count(), 1, 2);
  Doubles residual = normal_numbers<T>(extent.count(), 2);
  Doubles dy = normal_numbers<T>(extent.count(), 3);
  Doubles scale = normal_numbers<float>(channels, 4, 1, 0.3);
  Doubles shift = normal_numbers<float>(channels, 5);

  reference::Maps x = pooled();
  reference::ChannelStatistics statistics = reference::channel_statistics(x);
  Doubles inverse = inverses(), factor = factors();

  reference::Maps pooled() const {
    reference::Maps maps = empty_maps(extent);
    reference::pool_forward(pool, maps_of(unpooled, input), maps);
    return maps;
  }
  Doubles inverses() const {
    Doubles result;
    for (const double variance : statistics.variance) result.push_back(1 / std::sqrt(variance + 1e-5));
    return result;
  }
  Doubles factors() const {
    Doubles result;
    for (int c = 0; c < channels; ++c) result.push_back(scale[c] * inverse[c]);
    return result;
  }
};

struct Gradients {
  Doubles dx, g, scale, shift;
};

template <typename T>
Gradients by_reference(const Problem<T>& problem) {
  reference::Maps z = empty_maps(problem.extent), sum = z, g = z, dx = z,
                  unpooled = empty_maps(problem.unpooled);
  reference::batch_norm_forward(problem.norm, problem.x, problem.statistics, problem.scale, problem.shift, z);
  if (problem.has_residual) {
    reference::add_forward(z, maps_of(problem.extent, problem.residual), sum);
    z = sum;
  }
  const reference::Maps dy = maps_of(problem.extent, problem.dy);
  if (problem.curve == Curve::identity)
    g = dy;
  else
    reference::activation_backward({problem.curve == Curve::relu ? Activation::relu : Activation::gelu}, z,
                                   dy, &g);
  Gradients result{{}, nhwc_of(g), Doubles(problem.channels, 0.0), Doubles(problem.channels, 0.0)};
  reference::batch_norm_backward(problem.norm, problem.x, problem.statistics, problem.scale, g, &dx,
                                 result.scale, result.shift);
  reference::pool_backward(problem.pool, maps_of(problem.unpooled, problem.input), dx, &unpooled);
  result.dx = nhwc_of(unpooled);
  return result;
}

/// `through_g`: norm_backward_apply is given the stored g, as executors do where there is a residual.
template <typename T>
Gradients by_kernels(const Problem<T>& problem, bool through_g) {
  const Storage storage = storage_of<T>;
  const int channels = problem.channels;
  auto input = array_of<T>(problem.input), dy = array_of<T>(problem.dy),
       residual = array_of<T>(problem.residual);
  auto mean = floats_of(problem.statistics.mean), factor = floats_of(problem.factor),
       shift = floats_of(problem.shift), inverse = floats_of(problem.inverse);
  const Affine affine{mean.data(), factor.data(), shift.data()};

  auto x = DeviceArray<T>::poisoned(problem.extent.count());
  auto argmax = DeviceArray<std::uint8_t>::poisoned(problem.extent.count());
  max_pool_forward(storage, {problem.unpooled, problem.window, problem.window, 0}, input.data(), x.data(),
                   argmax.data(), {}, nullptr);

  auto g = DeviceArray<T>::poisoned(problem.extent.count());
  auto rows = DeviceArray<float>::poisoned(static_cast<std::int64_t>(partials_floats(channels)));
  const Partials partials{rows.data(), sum_blocks(problem.extent)};
  const T* const beside = problem.has_residual ? residual.data() : nullptr;
  norm_backward_sums(storage,
                     {.extent = problem.extent,
                      .dy = dy.data(),
                      .x = x.data(),
                      .affine = affine,
                      .residual = beside,
                      .curve = problem.curve,
                      .g = g.data(),
                      .sums = partials},
                     nullptr);
  g.expect_all_written();
  rows.expect_written(2 * channels, 2 * channels * (1 + partials.blocks));

  auto results = DeviceArray<float>::poisoned(4 * channels);
  float* to = results.data();
  norm_backward_finish({partials, channels, problem.extent.positions(), inverse.data(), factor.data(), to,
                        to + channels, to + 2 * channels, to + 3 * channels},
                       nullptr);
  results.expect_all_written();

  auto dx = DeviceArray<T>::poisoned(problem.unpooled.count());
  NormBackwardApply apply{.extent = problem.extent,
                          .dy = dy.data(),
                          .x = x.data(),
                          .affine = affine,
                          .residual = beside,
                          .curve = problem.curve,
                          .slope = to + 2 * channels,
                          .offset = to + 3 * channels,
                          .dx = dx.data()};
  if (through_g) {
    apply.dy = g.data();
    apply.residual = nullptr;
    apply.curve = Curve::identity;
  }
  if (problem.window > 1)
    apply.unpool = {argmax.data(), problem.unpooled.height, problem.unpooled.width, problem.window};
  norm_backward_apply(storage, apply, nullptr);
  dx.expect_all_written();
  const Doubles numbers = results.numbers();
  return {dx.numbers(), g.numbers(), Doubles(numbers.begin() + channels, numbers.begin() + 2 * channels),
          Doubles(numbers.begin(), numbers.begin() + channels)};
}

template <typename T>
void check(const Problem<T>& problem) {
  SCOPED_TRACE(::testing::Message() << problem.channels << " channels, window " << problem.window
                                    << ", residual " << problem.has_residual << ", curve "
                                    << static_cast<int>(problem.curve));
  const Gradients expected = by_reference(problem);
  Gradients actual;
  in_every_order([&] {
    actual = by_kernels(problem, false);
    Doubles all = actual.dx;
    for (const Doubles* part : {&actual.g, &actual.scale, &actual.shift})
      all.insert(all.end(), part->begin(), part->end());
    return all;
  });
  expect_close<T>(actual.g, expected.g, "g");
  expect_close<T>(actual.dx, expected.dx, "dx");
  expect_close<float>(actual.shift, expected.shift, "shift's gradient");
  expect_close<float>(actual.scale, expected.scale, "scale's gradient");
  if (std::is_same_v<T, float>) expect_close<T>(by_kernels(problem, true).dx, expected.dx, "dx through g");
}

TYPED_TEST(NormBackwardKernels, WithoutPooling) {
  check(Problem<TypeParam>{{3, 5, 7, 24}, 1, false, Curve::gelu});
  check(Problem<TypeParam>{{3, 5, 7, 24}, 1, true, Curve::relu});
  check(Problem<TypeParam>{{9, 3, 3, 256}, 1, true, Curve::gelu});
  check(Problem<TypeParam>{{2, 4, 4, 64}, 1, false, Curve::identity});
}

TYPED_TEST(NormBackwardKernels, UnpooledOnTheWay) {
  check(Problem<TypeParam>{{2, 8, 6, 24}, 2, false, Curve::gelu});
  check(Problem<TypeParam>{{3, 7, 5, 64}, 2, true, Curve::relu});  // the last row and column are in no window
  check(Problem<TypeParam>{{2, 11, 10, 8}, 3, false, Curve::identity});
}

/// A bias in front of an activation: no norm, only the sum of g is asked for.
TYPED_TEST(NormBackwardKernels, Bias) {
  using T = TypeParam;
  const Extent extent{3, 5, 7, 24};
  const Doubles x = normal_numbers<T>(extent.count(), 6), dy = normal_numbers<T>(extent.count(), 7);
  const Doubles bias = normal_numbers<float>(24, 8);
  reference::Maps z = maps_of(extent, x), g = empty_maps(extent);
  for (int n = 0; n < extent.samples; ++n)
    for (int c = 0; c < 24; ++c)
      for (std::size_t i = 0; i < z.plane_size(); ++i) z.plane(n, c)[i] += bias[c];
  reference::activation_backward({Activation::gelu}, z, maps_of(extent, dy), &g);
  Doubles expected(24, 0.0);
  for (int n = 0; n < extent.samples; ++n)
    for (int c = 0; c < 24; ++c)
      for (std::size_t i = 0; i < g.plane_size(); ++i) expected[c] += g.plane(n, c)[i];

  auto device_x = array_of<T>(x), device_dy = array_of<T>(dy);
  auto device_bias = floats_of(bias);
  auto rows = DeviceArray<float>::poisoned(static_cast<std::int64_t>(partials_floats(24)));
  auto gradient = DeviceArray<float>::poisoned(24);
  const Partials partials{rows.data(), sum_blocks(extent)};
  norm_backward_sums(storage_of<T>,
                     {.extent = extent,
                      .dy = device_dy.data(),
                      .x = device_x.data(),
                      .affine = {nullptr, nullptr, device_bias.data()},
                      .curve = Curve::gelu,
                      .sums = partials},
                     nullptr);
  norm_backward_finish(
      {.sums = partials, .channels = 24, .positions = extent.positions(), .shift_gradient = gradient.data()},
      nullptr);
  expect_close<float>(gradient.numbers(), expected);
}

/// Gradients that gather from several consumers; a constant factor instead of a norm.
TYPED_TEST(NormBackwardKernels, AddsToWhatIsThere) {
  using T = TypeParam;
  const Extent extent{2, 3, 3, 16};
  const Doubles x = normal_numbers<T>(extent.count(), 9), dy = normal_numbers<T>(extent.count(), 10);
  const Doubles before = normal_numbers<T>(extent.count(), 11);
  auto device_x = array_of<T>(x), device_dy = array_of<T>(dy), g = array_of<T>(before),
       dx = array_of<T>(before);
  auto rows = DeviceArray<float>::poisoned(static_cast<std::int64_t>(partials_floats(16)));
  norm_backward_sums(storage_of<T>,
                     {.extent = extent,
                      .dy = device_dy.data(),
                      .x = device_x.data(),
                      .curve = Curve::relu,
                      .g = g.data(),
                      .add_g = true,
                      .sums = {rows.data(), sum_blocks(extent)}},
                     nullptr);
  auto factor = floats_of(Doubles(16, 0.25));
  norm_backward_apply(storage_of<T>,
                      {.extent = extent,
                       .dy = device_dy.data(),
                       .x = device_x.data(),
                       .affine = {nullptr, factor.data(), nullptr},
                       .dx = dx.data(),
                       .add_dx = true},
                      nullptr);
  Doubles expected_g, expected_dx;
  for (std::size_t i = 0; i < x.size(); ++i) {
    expected_g.push_back(before[i] + (x[i] > 0 ? dy[i] : 0));
    expected_dx.push_back(before[i] + dy[i] / 4);
  }
  expect_close<T>(g.numbers(), expected_g, "g");
  expect_close<T>(dx.numbers(), expected_dx, "dx");
}

}  // namespace
}  // namespace whorl::nn::cuda
