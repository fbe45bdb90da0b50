// SPDX-License-Identifier: BSD-3-Clause
#include "nn/network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace whorl::nn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Shape picture{3, 8, 10};

NetworkBuilder builder_with_conv() {
  NetworkBuilder builder("test", picture, {});
  builder.add("conv", Conv{.filters = 7, .kernel = 3, .stride = 2, .padding = 1});
  return builder;
}

template <typename Function>
std::string error_of(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(NetworkBuilder, InfersShapes) {
  NetworkBuilder builder = builder_with_conv();
  EXPECT_EQ(builder.shape_of(network_input), picture);
  EXPECT_EQ(builder.shape_of(0), (Shape{7, 4, 5}));
  const int pool = builder.add("pool", Pool{.window = 3, .stride = 2, .padding = 1});
  EXPECT_EQ(builder.shape_of(pool), (Shape{7, 2, 3}));
  builder.add("norm", BatchNorm{});
  builder.add("head", Linear{.outputs = 4});
  builder.add("logits", Scale{0.5F});
  EXPECT_EQ(builder.shape_of(NetworkBuilder::previous), (Shape{4, 1, 1}));
  const Network network = std::move(builder).build();
  EXPECT_EQ(network.classes(), 4);
  EXPECT_THAT(network.layers[1].inputs, ElementsAre(0));
  EXPECT_THAT(network.layers[0].inputs, ElementsAre(network_input));
}

TEST(NetworkBuilder, JoinsBranches) {
  NetworkBuilder builder = builder_with_conv();
  const int left = builder.add("left", Activation{}, 0);
  const int right = builder.add("right", Activation{Activation::gelu}, 0);
  const int sum = builder.add_sum("sum", left, right);
  EXPECT_EQ(builder.shape_of(sum), builder.shape_of(0));
  builder.add("head", Linear{.outputs = 2});
  EXPECT_THAT(std::move(builder).build().layers[sum].inputs, ElementsAre(left, right));
}

TEST(NetworkBuilder, RefusesWhatDoesNotFit) {
  NetworkBuilder builder = builder_with_conv();  // 7x4x5
  const auto error_of_adding = [&](const Operation& operation, int input) {
    return error_of([&] { builder.add("bad", operation, input); });
  };
  EXPECT_THAT(error_of_adding(Conv{.filters = 1, .kernel = 7}, 0),
              HasSubstr("window of 7 does not fit into 4 cells padded by 1"));
  EXPECT_THAT(error_of_adding(Conv{.filters = 0}, 0), HasSubstr("0 filters"));
  EXPECT_THAT(error_of_adding(Conv{.filters = 1, .stride = 0}, 0), HasSubstr("stride 0"));
  EXPECT_THAT(error_of_adding(Pool{.window = 5, .stride = 5}, 0),
              HasSubstr("window of 5 does not fit into 4"));
  EXPECT_THAT(error_of_adding(Pool{.window = 3, .stride = 3, .padding = 2}, 0), HasSubstr("more than half"));
  EXPECT_THAT(error_of_adding(Pool{.kind = Pool::average, .padding = 1}, 0),
              HasSubstr("average pooling takes no padding"));
  EXPECT_THAT(error_of_adding(Linear{.outputs = 0}, 0), HasSubstr("0 outputs"));
  EXPECT_THAT(error_of_adding(BatchNorm{.epsilon = 0}, 0), HasSubstr("epsilon 0"));
  EXPECT_THAT(error_of_adding(BatchNorm{.momentum = 1.5F}, 0), HasSubstr("momentum 1.5"));
  EXPECT_THAT(error_of_adding(Add{}, 0), HasSubstr("add_sum"));
  EXPECT_THAT(error_of_adding(Activation{}, 1), HasSubstr("no layer 1"));
  EXPECT_THAT(error_of_adding(Activation{}, -3), HasSubstr("no layer -3"));
  EXPECT_THAT(error_of([&] { builder.add("conv", Activation{}); }), HasSubstr("two layers are called conv"));
  EXPECT_THAT(error_of([&] { builder.add_sum("bad", 0, network_input); }),
              HasSubstr("cannot add 7x4x5 and 3x8x10"));
}

TEST(NetworkBuilder, RefusesPicturesItCannotNormalise) {
  EXPECT_THAT(error_of([] { NetworkBuilder("test", {1, 8, 8}, {}); }), HasSubstr("RGB picture, not 1x8x8"));
  EXPECT_THAT(error_of([] {
                NetworkBuilder("test", picture, {{0, 0, 0}, {1, 0, 1}});
              }),
              HasSubstr("deviation is 0"));
}

TEST(NetworkBuilder, RefusesUnfinishedNetworks) {
  EXPECT_THAT(error_of([] { NetworkBuilder("test", picture, {}).build(); }), HasSubstr("no layers"));
  EXPECT_THAT(error_of([] { builder_with_conv().build(); }), HasSubstr("logits are a vector"));
  EXPECT_THAT(error_of([] {
                NetworkBuilder builder = builder_with_conv();
                builder.add("head", Linear{.outputs = 2}, network_input);
                std::move(builder).build();
              }),
              HasSubstr("nothing uses layer conv"));
}

// 3x3 convolutions of 64 x 24, 64 x 64, 256 x 64 and three 256 x 256, the head, seven biases or shifts, the
// whitening.
TEST(NamedNetworks, Air94HasTheSizeOfTheRecipe) {
  const Network network = make_network("air94", 32, 10, {});
  EXPECT_EQ(parameter_count(network),
            9 * (64 * 24 + 64 * 64 + 256 * 64 + 3 * 256 * 256) + 2560 + (64 + 64 + 4 * 256) + 288 + 24);
  EXPECT_NEAR(forward_flops(network), 236e6, 0.5e6);
  std::vector<Shape> shapes;
  for (const Layer& layer : network.layers) {
    if (std::holds_alternative<Activation>(layer.operation)) shapes.push_back(layer.output);
  }
  EXPECT_THAT(shapes, ElementsAre(Shape{24, 31, 31}, Shape{64, 15, 15}, Shape{64, 15, 15}, Shape{256, 7, 7},
                                  Shape{256, 7, 7}, Shape{256, 3, 3}, Shape{256, 3, 3}));
}

/// Two convolutions of 3 -> 8 and 8 -> 4 channels at 6x6, and a linear layer of 144 -> 2.
double training_flops_of(const Conv& first) {
  NetworkBuilder builder("three", Shape{3, 6, 6}, {});
  builder.add("first", first);
  builder.add("act", Activation{});
  builder.add("second", Conv{.filters = 4, .kernel = 1, .padding = 0});
  builder.add("head", Linear{.outputs = 2});
  return training_flops(std::move(builder).build());
}

TEST(TrainingFlops, CountThePassesThatAStepNeeds) {
  constexpr double first = 2 * 36 * 8 * 3 * 9, second = 2 * 36 * 4 * 8, head = 2 * 144 * 2;
  EXPECT_EQ(training_flops_of({.filters = 8}), 2 * first + 3 * second + 3 * head);
  EXPECT_EQ(training_flops_of({.filters = 8, .bias = true, .frozen = true}), first + 3 * second + 3 * head);
  EXPECT_EQ(training_flops_of({.filters = 8, .frozen = true}), first + 2 * second + 3 * head);
}

// The whitening, 24 x 12 at 31x31, runs forward only; all else thrice.
TEST(TrainingFlops, OfAir94) {
  const Network network = make_network("air94", 32, 10, {});
  EXPECT_EQ(training_flops(network), 3 * forward_flops(network) - 2 * (2.0 * 31 * 31 * 24 * 12));
}

// torchvision.models.resnet18: 11,689,512 parameters; 1,814,073,344 multiply-adds in convolutions and the
// linear layer.
TEST(NamedNetworks, Resnet18HasTorchvisionsSize) {
  const Network network = make_network("resnet18", 224, 1000, {});
  EXPECT_EQ(parameter_count(network), 11689512);
  EXPECT_EQ(forward_flops(network), 2 * 1814073344.0);
}

TEST(NamedNetworks, TakeAllSizesFromTheirSmallest) {
  struct Case {
    const char* name;
    int smallest;
  };
  for (const Case& network : {Case{"petal", 16}, Case{"air94", 16}, Case{"resnet18", 32}}) {
    for (const int size : {network.smallest, network.smallest + 1, 64, 97, 224}) {
      EXPECT_EQ(make_network(network.name, size, 5, {}).layers.back().output, (Shape{5, 1, 1}))
          << network.name << " " << size;
    }
    const int too_small = network.smallest - 1;
    EXPECT_THAT(error_of([&] { make_network(network.name, too_small, 5, {}); }),
                HasSubstr(fmt::format("at least {} px, these have {}", network.smallest, too_small)));
  }
}

TEST(NamedNetworks, UnknownNamesListTheKnown) {
  EXPECT_THAT(network_names(), ElementsAre("petal", "air94", "resnet18"));
  EXPECT_THAT(error_of([] { make_network("rose", 32, 10, {}); }),
              HasSubstr("no network rose: there are petal, air94, resnet18"));
  EXPECT_THAT(error_of([] { make_network("petal", 32, 1, {}); }), HasSubstr("at least 2 classes, not 1"));
}

TEST(Describe, ShowsLayersAndTotals) {
  NetworkBuilder builder("test", {3, 8, 8}, {});
  const int conv = builder.add("conv", Conv{.filters = 4, .bias = true, .frozen = true});
  const int norm = builder.add("norm", BatchNorm{});
  builder.add_sum("sum", conv, norm);
  builder.add("head", Linear{.outputs = 2, .bias = false});
  const std::string text = describe(std::move(builder).build());
  EXPECT_THAT(text, HasSubstr("network test: picture 3x8x8, 2 classes"));
  EXPECT_THAT(text,
              HasSubstr("4x8x8        112 parameters     0.01 MFLOP  conv 3x3 stride 1 padding 1, frozen"));
  EXPECT_THAT(text, HasSubstr("sum of conv and norm"));
  EXPECT_THAT(text, HasSubstr("632 parameters, 0.0 MFLOP"));  // 108 + 4 + 8 + 512, running statistics apart
}

}  // namespace
}  // namespace whorl::nn
