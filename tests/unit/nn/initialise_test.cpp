// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.hpp"
#include "nn/network.hpp"

namespace whorl::nn {
namespace {

using ::testing::Each;

std::vector<float> initialised(const Network& network, std::uint64_t seed) {
  std::vector<float> arena(network.parameters.size(), 9.0F);
  initialise(network, seed, arena);
  return arena;
}

std::vector<float> values_of(const Network& network, const std::vector<float>& arena,
                             const std::string& name) {
  for (const Tensor& tensor : network.parameters.tensors()) {
    if (tensor.name == name)
      return {arena.begin() + tensor.offset, arena.begin() + tensor.offset + tensor.count};
  }
  ADD_FAILURE() << "no tensor " << name;
  return {};
}

double deviation_of(const std::vector<float>& values) {
  double sum = 0, squares = 0;
  for (const float value : values) sum += value;
  const double count = static_cast<double>(values.size());
  for (const float value : values) squares += std::pow(value - sum / count, 2);
  return std::sqrt(squares / (count - 1));
}

TEST(Initialise, DiracFiltersPassTheirChannelThrough) {
  const Network network = make_network("air94", 32, 10, {});
  const auto weights =
      values_of(network, initialised(network, 1), "conv1.weight");  // 64 filters of 24 channels
  for (std::size_t filter = 0; filter < 24; ++filter) {
    for (std::size_t i = 0; i < 216; ++i) {
      ASSERT_EQ(weights[filter * 216 + i], i == filter * 9 + 4 ? 1.0F : 0.0F) << filter << " " << i;
    }
  }
  const std::vector<float> random(weights.begin() + 24 * 216, weights.end());
  const auto [low, high] = std::minmax_element(random.begin(), random.end());
  const double bound = 1 / std::sqrt(216.0);
  EXPECT_LT(-bound, *low);
  EXPECT_LT(*high, bound);
  EXPECT_LT(*low, -0.99 * bound);
  EXPECT_GT(*high, 0.99 * bound);
}

TEST(Initialise, HeNormalHasDeviationOfFanOut) {
  const Network network = make_network("resnet18", 32, 10, {});
  const auto arena = initialised(network, 1);
  const auto weights = values_of(network, arena, "stage4_block2_conv2.weight");
  const double expected = std::sqrt(2.0 / (512 * 9));
  EXPECT_NEAR(deviation_of(weights), expected, 0.005 * expected);  // of 2.4 million draws
  const auto stem = values_of(network, arena, "stem_conv.weight");
  const double expected_stem = std::sqrt(2.0 / (64 * 49));
  EXPECT_NEAR(deviation_of(stem), expected_stem, 0.05 * expected_stem);  // of 9,408 draws
}

TEST(Initialise, UnitDeviationHeadHasDeviationOne) {
  const Network network = make_network("air94", 32, 10, {});
  EXPECT_NEAR(deviation_of(values_of(network, initialised(network, 1), "head.weight")), 1, 1e-5);
}

TEST(Initialise, WhiteningAndItsBiasWaitForThePictures) {
  const Network network = make_network("petal", 32, 10, {});
  const auto arena = initialised(network, 1);
  EXPECT_THAT(values_of(network, arena, "whiten.weight"), Each(0.0F));
  EXPECT_THAT(values_of(network, arena, "whiten.bias"), Each(0.0F));
}

TEST(Initialise, BatchNormAndBiasesStartAsPromised) {
  const Network network = make_network("resnet18", 32, 10, {});
  const auto arena = initialised(network, 1);
  EXPECT_THAT(values_of(network, arena, "stem_norm.scale"), Each(1.0F));
  EXPECT_THAT(values_of(network, arena, "stage1_block1_norm2.scale"), Each(0.0F));
  EXPECT_THAT(values_of(network, arena, "stem_norm.shift"), Each(0.0F));
  EXPECT_THAT(values_of(network, arena, "stem_norm.running_mean"), Each(0.0F));
  EXPECT_THAT(values_of(network, arena, "stem_norm.running_variance"), Each(1.0F));
  const auto bias = values_of(network, arena, "head.bias");
  for (const float value : bias) EXPECT_LT(std::abs(value), 1 / std::sqrt(512.0F));
  EXPECT_EQ(std::set<float>(bias.begin(), bias.end()).size(), bias.size());
}

TEST(Initialise, GapsAreZero) {
  const Network network = make_network("air94", 32, 10, {});
  auto arena = initialised(network, 1);
  for (const Tensor& tensor : network.parameters.tensors())
    std::fill_n(arena.begin() + tensor.offset, tensor.count, 0.0F);
  EXPECT_THAT(arena, Each(0.0F));
}

TEST(Initialise, DependsOnTheSeedAndTheTensorOnly) {
  const Network network = make_network("petal", 32, 10, {});
  const auto arena = initialised(network, 1);
  EXPECT_EQ(arena, initialised(network, 1));
  EXPECT_NE(values_of(network, arena, "conv5.weight"),
            values_of(network, initialised(network, 2), "conv5.weight"));
  const auto tail = [&](const char* name) {
    const auto values = values_of(network, arena, name);
    return std::vector<float>(values.end() - 100, values.end());
  };
  EXPECT_NE(tail("conv3.weight"), tail("conv5.weight"));
  // More classes: another head, the same convolutions.
  const Network wider = make_network("petal", 32, 20, {});
  const auto wider_arena = initialised(wider, 1);
  for (const char* name : {"conv1.weight", "conv5.weight"}) {
    EXPECT_EQ(values_of(network, arena, name), values_of(wider, wider_arena, name)) << name;
  }
}

TEST(Initialise, RefusesAnArenaOfAnotherSize) {
  const Network network = make_network("petal", 32, 10, {});
  std::vector<float> arena(network.parameters.size() - 1);
  EXPECT_THROW(initialise(network, 1, arena), Error);
}

}  // namespace
}  // namespace whorl::nn
