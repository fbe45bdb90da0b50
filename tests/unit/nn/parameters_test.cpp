// SPDX-License-Identifier: BSD-3-Clause
#include "nn/parameters.hpp"

#include <gtest/gtest.h>

#include "nn/network.hpp"

namespace whorl::nn {
namespace {

/// A frozen convolution with bias, two batch-norms (with and without scale), a head with bias.
Network small_network() {
  NetworkBuilder builder("small", {3, 6, 6}, {});
  builder.add("front", Conv{.filters = 5, .kernel = 2, .padding = 0, .bias = true, .frozen = true});
  builder.add("norm1", BatchNorm{});
  builder.add("relu", Activation{});
  builder.add("norm2", BatchNorm{.scale = false});
  builder.add("pool", Pool{.window = 5, .stride = 5});
  builder.add("head", Linear{.outputs = 4});
  return std::move(builder).build();
}

TEST(ParameterLayout, LaysTensorsLastLayerFirstOnMultiplesOf16) {
  struct Expected {
    const char* name;
    Role role;
    int layer;
    std::vector<int> shape;
    std::size_t offset, count;
    bool frozen;
  };
  const std::vector<Expected> expected{
      {"head.weight", Role::linear_weight, 5, {4, 5}, 0, 20, false},
      {"head.bias", Role::bias, 5, {4}, 32, 4, false},
      {"norm2.shift", Role::bn_shift, 3, {5}, 48, 5, false},
      {"norm2.running_mean", Role::running_mean, 3, {5}, 64, 5, false},
      {"norm2.running_variance", Role::running_variance, 3, {5}, 80, 5, false},
      {"norm1.scale", Role::bn_scale, 1, {5}, 96, 5, false},
      {"norm1.shift", Role::bn_shift, 1, {5}, 112, 5, false},
      {"norm1.running_mean", Role::running_mean, 1, {5}, 128, 5, false},
      {"norm1.running_variance", Role::running_variance, 1, {5}, 144, 5, false},
      {"front.weight", Role::conv_weight, 0, {5, 3, 2, 2}, 160, 60, true},
      {"front.bias", Role::bias, 0, {5}, 224, 5, false},
  };
  const Network network = small_network();
  const auto& tensors = network.parameters.tensors();
  ASSERT_EQ(tensors.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(tensors[i].name, expected[i].name);
    EXPECT_EQ(tensors[i].role, expected[i].role) << expected[i].name;
    EXPECT_EQ(tensors[i].layer, expected[i].layer) << expected[i].name;
    EXPECT_EQ(tensors[i].shape, expected[i].shape) << expected[i].name;
    EXPECT_EQ(tensors[i].offset, expected[i].offset) << expected[i].name;
    EXPECT_EQ(tensors[i].count, expected[i].count) << expected[i].name;
    EXPECT_EQ(tensors[i].frozen, expected[i].frozen) << expected[i].name;
  }
  EXPECT_EQ(network.parameters.size(), 240);
}

TEST(ParameterLayout, EndsGrowFromTheLastLayerToTheFirst) {
  const Network network = small_network();
  const std::vector<std::size_t> expected{240, 160, 96, 96, 48, 48};
  for (int layer = 0; layer < 6; ++layer)
    EXPECT_EQ(network.parameters.end_of(layer), expected[layer]) << layer;
}

TEST(ParameterLayout, FindsTensorsByLayerAndRole) {
  const Network network = small_network();
  ASSERT_NE(network.parameters.find(0, Role::bias), nullptr);
  EXPECT_EQ(network.parameters.find(0, Role::bias)->name, "front.bias");
  EXPECT_EQ(network.parameters.find(5, Role::bias)->name, "head.bias");
  EXPECT_EQ(network.parameters.find(3, Role::bn_scale), nullptr);
  EXPECT_EQ(network.parameters.find(2, Role::conv_weight), nullptr);
}

TEST(ParameterLayout, RolesHaveDistinctNames) {
  EXPECT_STREQ(to_string(Role::conv_weight), "conv_weight");
  EXPECT_STREQ(to_string(Role::linear_weight), "linear_weight");
  EXPECT_STREQ(to_string(Role::bias), "bias");
  EXPECT_STREQ(to_string(Role::bn_scale), "bn_scale");
  EXPECT_STREQ(to_string(Role::bn_shift), "bn_shift");
  EXPECT_STREQ(to_string(Role::running_mean), "running_mean");
  EXPECT_STREQ(to_string(Role::running_variance), "running_variance");
}

}  // namespace
}  // namespace whorl::nn
