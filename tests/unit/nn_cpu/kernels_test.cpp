// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <tuple>
#include <vector>

#include "base/keyed_random.hpp"
#include "machines.hpp"
#include "nn/cpu/instruction_set.hpp"
#include "nn/cpu/pointwise.hpp"
#include "nn/cpu/pool.hpp"

namespace whorl::nn::cpu {
namespace {

class Kernels : public ::testing::TestWithParam<Machine> {
 protected:
  void SetUp() override { use_instruction_set(std::get<0>(GetParam())); }
  void TearDown() override { use_instruction_set(""); }
  int block() const { return std::get<1>(GetParam()); }

  std::vector<float> random(int count, std::uint64_t stream, float centre = 0) const {
    KeyedRandom numbers(1, RandomPurpose::test, 0, stream);
    std::vector<float> values(count);
    for (float& value : values) value = centre + numbers.uniform(-2, 2);
    return values;
  }
};
INSTANTIATE_TEST_SUITE_P(All, Kernels, ::testing::ValuesIn(machines()), name_of);

double phi(double x) {
  return 0.5 * std::erfc(-x * std::numbers::sqrt2 / 2);
}
double density(double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
}

/// One channel after the other of an identity.
struct Identity {
  std::vector<float> zero, one;
  explicit Identity(int block) : zero(block, 0.0F), one(block, 1.0F) {}
  Affine affine() const { return {zero.data(), one.data(), zero.data()}; }
};

TEST_P(Kernels, GeluIsExactToSixDigits) {
  constexpr int pixels = 4001;
  std::vector<float> x(pixels * block()), y(x.size()), dx(x.size()), ones(x.size(), 1.0F);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = -10 + 20 * static_cast<float>(i) / static_cast<float>(x.size());
  const Identity identity(block());
  std::vector<double> sums(2 * block());
  forward_plane({1, pixels, block()}, {x.data(), pixels}, {}, identity.affine(), Curve::gelu,
                {y.data(), pixels});
  backward_plane({1, pixels, block()}, {ones.data(), pixels}, {x.data(), pixels}, {}, identity.affine(),
                 Curve::gelu, {dx.data(), pixels}, sums.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = x[i] * phi(x[i]);
    ASSERT_NEAR(y[i], exact, 3e-7 + 1e-7 * std::abs(exact)) << x[i];
    ASSERT_NEAR(dx[i], phi(x[i]) + x[i] * density(x[i]), 4e-7) << x[i];
  }
}

TEST_P(Kernels, GeluOfExtremes) {
  const Identity identity(block());
  std::vector<float> x(block(), 0.0F), y(block());
  x[0] = 1e30F, x[1] = -1e30F, x[2] = -40, x[3] = 1e-30F;
  forward_plane({1, 1, block()}, {x.data(), 1}, {}, identity.affine(), Curve::gelu, {y.data(), 1});
  EXPECT_EQ(y[0], 1e30F);
  EXPECT_EQ(y[1], 0);
  EXPECT_EQ(y[2], 0);
  EXPECT_FLOAT_EQ(y[3], 0.5e-30F);
  EXPECT_EQ(y[4], 0);
}

TEST_P(Kernels, SumsKeepTheVarianceBesideALargeMean) {
  constexpr int pixels = 1000;
  std::vector<float> x = random(pixels * block(), 1, 1000);
  std::vector<double> sums(2 * block());
  sums_of_plane({1, pixels, block()}, {x.data(), pixels}, x.data(), sums.data());
  for (int channel = 0; channel < block(); ++channel) {
    double sum = 0, squares = 0;
    for (int i = 0; i < pixels; ++i) {
      const double difference = static_cast<double>(x[i * block() + channel]) - x[channel];
      sum += difference;
      squares += difference * difference;
    }
    EXPECT_NEAR(sums[channel], sum, 1e-6 * pixels);
    EXPECT_NEAR(sums[block() + channel], squares, 1e-6 * squares);
  }
}

TEST_P(Kernels, ForwardAndBackwardOfNormSumAndRelu) {
  constexpr int pixels = 37;
  const auto x = random(pixels * block(), 2), residual = random(pixels * block(), 3),
             dy = random(pixels * block(), 4);
  const auto mean = random(block(), 5), scale = random(block(), 6), shift = random(block(), 7);
  std::vector<float> y(x.size()), g(x.size());
  std::vector<double> sums(2 * block()), expected(2 * block(), 0.0);
  const Affine affine{mean.data(), scale.data(), shift.data()};
  const PlaneExtent extent{1, pixels, block()};
  forward_plane(extent, {x.data(), pixels}, {residual.data(), pixels}, affine, Curve::relu,
                {y.data(), pixels});
  backward_plane(extent, {dy.data(), pixels}, {x.data(), pixels}, {residual.data(), pixels}, affine,
                 Curve::relu, {g.data(), pixels}, sums.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % block();
    EXPECT_NEAR(y[i], std::max(0.0F, (x[i] - mean[c]) * scale[c] + shift[c] + residual[i]), 1e-5);
    EXPECT_EQ(g[i], y[i] > 0 ? dy[i] : 0);
    expected[c] += g[i];
    expected[block() + c] += g[i] * (x[i] - mean[c]);
  }
  for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_NEAR(sums[i], expected[i], 2e-5);
}

TEST_P(Kernels, CombineMayWriteOverItsInput) {
  constexpr int pixels = 5;
  const auto x = random(pixels * block(), 8), g = random(pixels * block(), 9), mean = random(block(), 10);
  const auto a = random(block(), 11), b = random(block(), 12), c = random(block(), 13);
  std::vector<float> out = g;
  combine_plane({1, pixels, block()}, {out.data(), pixels}, {x.data(), pixels},
                {mean.data(), a.data(), b.data(), c.data()}, {out.data(), pixels});
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t k = i % block();
    EXPECT_NEAR(out[i], g[i] * a[k] + (x[i] - mean[k]) * b[k] + c[k], 1e-5);
  }
}

TEST_P(Kernels, TheFirstOfEqualMaximaWins) {
  const PoolGeometry geometry{.input_height = 3,
                              .input_width = 3,
                              .output_height = 2,
                              .output_width = 2,
                              .window = 2,
                              .stride = 2,
                              .padding = 1,
                              .block = block()};
  std::vector<float> x(9 * block(), -1.0F), y(4 * block()), dx(9 * block(), 5.0F);
  x[4 * block() + 1] = 7, x[5 * block() + 1] = 7,
                  x[8 * block() + 1] = 7;  // channel 1, window 3: cells 0, 1 and 3
  std::vector<std::uint16_t> winner(4 * block());
  max_pool_plane(geometry, {x.data(), 3}, y.data(), winner.data());
  EXPECT_EQ(y[3 * block() + 1], 7);
  EXPECT_EQ(y[3 * block()], -1);
  EXPECT_EQ(winner[3 * block() + 1], 0);
  EXPECT_EQ(winner[0], 3);  // the only cell of window 0 that is not padding
  std::vector<float> dy(4 * block());
  std::iota(dy.begin(), dy.end(), 1.0F);
  max_unpool_plane(geometry, dy.data(), winner.data(), {dx.data(), 3});
  EXPECT_EQ(dx[4 * block() + 1], 5 + dy[3 * block() + 1]);
  EXPECT_EQ(dx[5 * block() + 1], 5);
  EXPECT_EQ(dx[0], 5 + dy[0]);
}

TEST_P(Kernels, AveragePoolingSpreadsItsGradient) {
  const PoolGeometry geometry{.input_height = 5,
                              .input_width = 5,
                              .output_height = 2,
                              .output_width = 2,
                              .window = 3,
                              .stride = 2,
                              .padding = 0,
                              .block = block()};
  const std::vector<float> x = random(25 * block(), 14), dy = random(4 * block(), 15);
  std::vector<float> y(4 * block()), dx(25 * block(), 0.0F);
  average_pool_plane(geometry, x.data(), y.data());
  average_unpool_plane(geometry, dy.data(), dx.data());
  for (int c = 0; c < block(); ++c) {
    double sum = 0;
    for (int row = 2; row < 5; ++row)
      for (int column = 0; column < 3; ++column) sum += x[(row * 5 + column) * block() + c];
    EXPECT_NEAR(y[2 * block() + c], sum / 9, 1e-6);
    EXPECT_NEAR(dx[c], dy[c] / 9, 1e-6);
    EXPECT_NEAR(dx[12 * block() + c],
                (dy[c] + dy[block() + c] + dy[2 * block() + c] + dy[3 * block() + c]) / 9, 1e-6);
  }
}

}  // namespace
}  // namespace whorl::nn::cpu
