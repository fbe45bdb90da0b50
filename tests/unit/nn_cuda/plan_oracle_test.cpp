// SPDX-License-Identifier: BSD-3-Clause
// Asks the real cuDNN what it would run on an H100, without one: every convolution of every network, in every
// precision and for every shard that is used, must have a plan within a recorded workspace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "nn/cuda/convolutions.hpp"

namespace whorl::nn::cuda {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::size_t MB = 1000000;

class PlanOracle : public testing::Test {
 protected:
  void SetUp() override {
    if (cudnnGetVersion() < 91100)
      GTEST_SKIP() << "cuDNN " << cudnn_version() << " plans for no GPU that is not there; 9.11 does";
    h100_.emplace(read_text_file(WHORL_H100_JSON));
  }

  Convolutions plan(const Network& network, const ConvolutionOptions& options) const {
    return Convolutions(network, group_layers(network), *h100_, options);
  }

  std::optional<PlanDevice> h100_;
};

/// Workspaces for 16 and for 32 bits.
struct Used {
  const char* network;
  int image_size;
  std::vector<int> shards;
  std::size_t half_workspace, single_workspace;
};
const std::vector<Used> used{{"petal", 32, {50, 125, 500, 2000}, 3 * MB, 440 * MB},
                             {"air94", 32, {125, 500, 1000, 2000}, 4 * MB, 700 * MB},
                             {"resnet18", 96, {32, 64, 256}, 30 * MB, 250 * MB},
                             {"resnet18", 224, {64, 256}, 160 * MB, 1000 * MB}};

TEST_F(PlanOracle, EveryConvolutionHasAPlanWithinItsWorkspace) {
  for (const auto& [name, image_size, shards, half_workspace, single_workspace] : used) {
    const Network network = make_network(name, image_size, 10, {});
    for (const int shard : shards) {
      for (const std::string& precision : precision_names()) {
        SCOPED_TRACE(fmt::format("{} at {} px, {} pictures, {}", name, image_size, shard, precision));
        const bool is_half = precision == "float16" || precision == "bfloat16";
        const ConvolutionOptions options{.images = shard,
                                         .precision = precision_of(precision),
                                         .workspace_limit = is_half ? half_workspace : single_workspace};
        std::size_t convolutions = 0, frozen = 0;
        for (const Layer& layer : network.layers) {
          const auto* conv = std::get_if<Conv>(&layer.operation);
          convolutions += conv != nullptr || std::holds_alternative<Linear>(layer.operation) ? 1 : 0;
          frozen += conv != nullptr && conv->frozen ? 1 : 0;
        }
        const Convolutions plans = plan(network, options);
        std::size_t backward_data = 0, backward_weights = 0;
        for (const auto& [layer, planned] : plans.all()) {
          backward_data += planned.backward_data ? 1 : 0;
          backward_weights += planned.backward_weights ? 1 : 0;
        }
        EXPECT_EQ(plans.all().size(), convolutions);
        EXPECT_EQ(backward_data, convolutions - 1);  // not that of the pictures
        EXPECT_EQ(backward_weights, convolutions - frozen);
        EXPECT_LE(plans.workspace_bytes(), options.workspace_limit);
      }
    }
  }
}

TEST_F(PlanOracle, Float32AvoidsTensorCores) {
  const Network network = make_network("air94", 32, 10, {});
  ConvolutionOptions options{.images = 500, .workspace_limit = 1000 * MB};
  const std::string exact = plan(network, options).text();
  options.precision = Precision::tf32;
  EXPECT_NE(exact, plan(network, options).text());
}

TEST_F(PlanOracle, ASmallerWorkspaceMeansOtherEngines) {
  const Network network = make_network("petal", 32, 10, {});
  const Convolutions rich = plan(network, {.images = 125, .workspace_limit = 100 * MB});
  const Convolutions poor = plan(network, {.images = 125, .workspace_limit = 0});
  EXPECT_GT(rich.workspace_bytes(), 0U);
  EXPECT_EQ(poor.workspace_bytes(), 0U);
  EXPECT_NE(rich.text(), poor.text());
}

TEST_F(PlanOracle, ARecordGivesTheSameEnginesAgain) {
  const Network network = make_network("petal", 32, 10, {});
  ConvolutionOptions options{.images = 125, .precision = Precision::float16, .workspace_limit = 100 * MB};
  const std::string first = plan(network, options).text();
  // Another engine for one pass, taken from what cuDNN recommends after the first.
  const std::size_t begin = first.find("conv2 forward "), end = first.find('\n', begin);
  ASSERT_NE(begin, std::string::npos);
  const std::string other = "conv2 forward engine 1 TILE_SIZE=-1 USE_TEX=-1";
  ASSERT_NE(first.substr(begin, end - begin), other);
  const std::string record = first.substr(0, begin) + other + first.substr(end);
  options.record = record;
  EXPECT_EQ(plan(network, options).text(), record);
  options.record = first;
  EXPECT_EQ(plan(network, options).text(), first);
}

TEST_F(PlanOracle, WhatCannotBePlannedIsNamed) {
  const Network network = make_network("petal", 32, 10, {});
  const auto planning = [&](const ConvolutionOptions& options) {
    return [this, &network, options] { plan(network, options); };
  };
  EXPECT_THAT(planning({.images = 50, .workspace_limit = 100 * MB, .record = "whiten forward engine 999\n"}),
              ThrowsMessage<Error>(AllOf(HasSubstr("layer whiten"), HasSubstr("that is engine 999"))));
  EXPECT_THAT(planning({.images = 50, .workspace_limit = 100 * MB, .record = "conv9 forward engine 1\n"}),
              ThrowsMessage<Error>(HasSubstr("the recorded plan has no engine for whiten forward")));
}

TEST_F(PlanOracle, FiltersComeInEights) {
  NetworkBuilder builder("odd", {3, 8, 8}, {});
  builder.add("conv", Conv{.filters = 12});
  builder.add("pool", Pool{.window = 8, .stride = 8});
  const Network network = std::move(builder).build();
  EXPECT_THAT([&] { plan(network, {.images = 2, .workspace_limit = MB}); },
              ThrowsMessage<Error>(HasSubstr("layer conv: 12 filters")));
}

}  // namespace
}  // namespace whorl::nn::cuda
