// SPDX-License-Identifier: BSD-3-Clause
#include "train/optimizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <bit>
#include <utility>

#include "base/error.hpp"
#include "support/thrown_message.hpp"

namespace whorl::train {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// ((k * factor) % modulus - modulus / 2) / divisor for k = 0, 1, ...: exact in float when the divisor is a
/// power of two.
std::vector<float> sequence(std::size_t count, std::size_t factor, std::size_t modulus, float divisor) {
  std::vector<float> values(count);
  for (std::size_t k = 0; k < count; ++k)
    values[k] = (static_cast<float>(k * factor % modulus) - static_cast<float>(modulus / 2)) / divisor;
  return values;
}

/// A tensor of every kind.
nn::Network make_test_network() {
  nn::NetworkBuilder builder("test", {3, 4, 4}, {});
  builder.add("white", nn::Conv{.filters = 24,
                                .kernel = 2,
                                .padding = 0,
                                .bias = true,
                                .frozen = true,
                                .init = nn::Init::whitening});
  builder.add("norm", nn::BatchNorm{.momentum = 0.25F});
  builder.add("mix", nn::Conv{.filters = 5});
  builder.add("point", nn::Conv{.filters = 4, .kernel = 1, .padding = 0, .bias = true});
  builder.add("head", nn::Linear{.outputs = 3, .bias = true});
  return std::move(builder).build();
}

/// A network with one tensor that is trained: a head of 2 x 3 weights.
nn::Network make_head() {
  nn::NetworkBuilder builder("head", {3, 1, 1}, {});
  builder.add("head", nn::Linear{.outputs = 2, .bias = false});
  return std::move(builder).build();
}

const nn::Tensor& tensor_of(const nn::Network& network, const std::string& name) {
  for (const nn::Tensor& tensor : network.parameters.tensors())
    if (tensor.name == name) return tensor;
  throw Error("no tensor {}", name);
}

/// Parameters and gradients of a network under an optimizer.
struct Training {
  Training(nn::Network of, const OptimizerOptions& options, std::int64_t total_steps = 100,
           std::int64_t steps_per_epoch = 10)
      : network(std::move(of)),
        parameters(network.parameters.size()),
        gradients(network.parameters.size()),
        optimizer(network, options, total_steps, steps_per_epoch) {}

  std::span<float> in(std::vector<float>& arena, const std::string& name) {
    const nn::Tensor& tensor = tensor_of(network, name);
    return std::span(arena).subspan(tensor.offset, tensor.count);
  }
  std::span<float> parameter(const std::string& name) { return in(parameters, name); }
  std::span<float> gradient(const std::string& name) { return in(gradients, name); }

  nn::Network network;
  std::vector<float> parameters, gradients;
  Optimizer optimizer;
};

/// Four steps with rates 0.1 * (1, 3/4, 1/2, 1/4), momentum 0.9 and weight decay 0.01; gradients are those of
/// a mean over 8 pictures.
std::vector<float> trained_head(const std::string& decay) {
  Training training(make_head(),
                    {.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.01, .decay = decay});
  const auto start = sequence(6, 5, 13, 16);
  const auto gradient = sequence(6, 7, 11, 8);
  std::copy(start.begin(), start.end(), training.parameter("head.weight").begin());
  for (int step = 0; step < 4; ++step) {
    for (std::size_t i = 0; i < 6; ++i)
      training.gradient("head.weight")[i] =
          8 * (gradient[i] * static_cast<float>(step + 1) - 0.25F * static_cast<float>(step));
    training.optimizer.step(training.parameters, training.gradients, 1 - step / 4.0, 3, 8);
  }
  const auto weights = training.parameter("head.weight");
  return {weights.begin(), weights.end()};
}

void expect_near(std::span<const float> values, std::initializer_list<double> expected) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], expected.begin()[i], 3e-7) << "element " << i;
}

// The three expectations are from PyTorch 2, torch.optim.SGD(nesterov=True) in float64 on the same numbers:
// with weight_decay 0.01; with weight_decay 0.01 / 0.1; without, the parameter being multiplied by 1 - rate *
// 0.01 before each step.
TEST(Sgd, AgreesWithPyTorch) {
  expect_near(trained_head("coupled"), {0.5461938140603496, -0.22870198776568806, 0.7018941777864935,
                                        -0.8800865216812636, 0.05050964387091808, 0.9811058094230997});
  expect_near(trained_head("coupled-by-rate"), {0.5594644601908633, -0.2225468987815293, 0.6831442827815079,
                                                -0.858018109930375, 0.04767307163266211, 0.9533642531956992});
  expect_near(trained_head("decoupled"), {0.5451754024497697, -0.22911819442328712, 0.7031801133393204,
                                          -0.881584010242797, 0.05071429751981054, 0.983012605282418});
}

// Three steps of class Muon of airbench94_muon.py, in float64 (bfloat16 there), on the same numbers; rates
// 0.24 * (1, 2/3, 1/3).
TEST(Muon, AgreesWithAirbench) {
  nn::NetworkBuilder builder("muon", {3, 3, 3}, {});
  builder.add("conv", nn::Conv{.filters = 4});
  builder.add("head", nn::Linear{.outputs = 2});
  Training training(std::move(builder).build(),
                    {.kind = "muon", .loss = "sum", .muon_learning_rate = 0.24, .muon_momentum = 0.6});
  const auto start = sequence(108, 29, 97, 64);
  const auto gradient = sequence(108, 41, 103, 32), more = sequence(108, 17, 89, 32);
  const auto weights = training.parameter("conv.weight");
  std::copy(start.begin(), start.end(), weights.begin());
  for (int step = 0; step < 3; ++step) {
    for (std::size_t i = 0; i < 108; ++i)
      training.gradient("conv.weight")[i] = gradient[i] + static_cast<float>(step) * more[i];
    training.optimizer.step(training.parameters, training.gradients, 1 - step / 3.0, 3, 8);
  }
  const std::vector<float> picked{weights[0],  weights[1],  weights[26],  weights[27],
                                  weights[53], weights[80], weights[100], weights[107]};
  expect_near(picked, {-0.11487842514072816, -0.10371620017542395, 0.14804222625315627, -0.2831106643168491,
                       0.3567859363549769, 0.16788795647245558, 0.21648376974676528, 0.32577088027053436});
}

TEST(Muon, IsForTrainedSpatialConvolutionsOnly) {
  Training training(make_test_network(),
                    {.kind = "muon", .loss = "sum", .learning_rate = 0.5, .momentum = 0, .weight_decay = 0});
  for (float& gradient : training.gradients) gradient = 1;
  for (float& weight : training.parameter("mix.weight")) weight = 2;
  training.optimizer.step(training.parameters, training.gradients, 1, 1, 1);
  EXPECT_THAT(training.parameter("white.weight"), Each(0.0F));
  EXPECT_THAT(training.parameter("point.weight"), Each(-0.5F));
  EXPECT_THAT(training.parameter("head.weight"), Each(-0.5F));
  // A constant gradient has one singular value, so the update is a constant u with ||u|| = sigma; the weight
  // was scaled to norm sqrt(5).
  const double elements = 5 * 24 * 9;
  const double sigma = training.parameter("mix.weight")[0] * std::sqrt(elements) - std::sqrt(5.0);
  EXPECT_GT(-sigma / 0.24, 0.7);
  EXPECT_LT(-sigma / 0.24, 1.2);
}

TEST(Muon, GivesTheSameBitsForAnyNumberOfThreads) {
  const auto trained = [](int threads) {
    omp_set_num_threads(threads);
    Training training(nn::make_network("petal", 32, 10, {}), {.kind = "muon"});
    nn::initialise(training.network, 1, training.parameters);
    training.gradients = sequence(training.gradients.size(), 7919, 104729, 65536);
    for (int step = 0; step < 2; ++step)
      training.optimizer.step(training.parameters, training.gradients, 1, 1, 1);
    std::vector<std::uint32_t> bits;
    for (const float value : training.parameters) bits.push_back(std::bit_cast<std::uint32_t>(value));
    return bits;
  };
  const int before = omp_get_max_threads();
  const auto one = trained(1);
  EXPECT_EQ(one, trained(2));
  EXPECT_EQ(one, trained(3));
  omp_set_num_threads(before);
}

TEST(Optimizer, GivesEachRoleItsRate) {
  Training training(make_test_network(), {.loss = "sum",
                                          .learning_rate = 0.5,
                                          .bias_learning_rate = 0.25,
                                          .head_learning_rate = 0.125,
                                          .momentum = 0,
                                          .weight_decay = 0});
  for (float& gradient : training.gradients) gradient = 1;
  training.optimizer.step(training.parameters, training.gradients, 0.5, 4, 16);
  EXPECT_THAT(training.parameter("white.weight"), Each(0.0F));  // frozen
  EXPECT_THAT(training.parameter("white.bias"), Each(-0.125F));
  EXPECT_THAT(training.parameter("norm.scale"), Each(-0.125F));
  EXPECT_THAT(training.parameter("norm.shift"), Each(-0.125F));
  EXPECT_THAT(training.parameter("mix.weight"), Each(-0.25F));
  EXPECT_THAT(training.parameter("point.weight"), Each(-0.25F));
  EXPECT_THAT(training.parameter("point.bias"), Each(-0.125F));
  EXPECT_THAT(training.parameter("head.weight"), Each(-0.0625F));
  EXPECT_THAT(training.parameter("head.bias"), Each(-0.125F));
}

TEST(Optimizer, LeavesGapsBetweenTensorsAlone) {
  Training training(make_test_network(), {.loss = "sum"});
  for (float& gradient : training.gradients) gradient = 1;
  training.optimizer.step(training.parameters, training.gradients, 1, 1, 1);
  for (const nn::Tensor& tensor : training.network.parameters.tensors()) {
    const auto values = training.parameter(tensor.name);
    std::fill(values.begin(), values.end(), 0.0F);
  }
  EXPECT_THAT(training.parameters, Each(0.0F));
}

TEST(Optimizer, AveragesRunningStatisticsOverShards) {
  Training training(make_test_network(), {});
  for (std::size_t i = 0; i < 24; ++i) {
    training.parameter("norm.running_mean")[i] = static_cast<float>(i);
    training.parameter("norm.running_variance")[i] = 8;
    training.gradient("norm.running_mean")[i] =
        4.0F * static_cast<float>(i + 4);  // a mean of i + 4 over 4 shards
    training.gradient("norm.running_variance")[i] = 4.0F * 16;
  }
  training.optimizer.step(training.parameters, training.gradients, 0, 4, 1000);
  for (std::size_t i = 0; i < 24; ++i)
    EXPECT_EQ(training.parameter("norm.running_mean")[i], static_cast<float>(i + 1));
  EXPECT_THAT(training.parameter("norm.running_variance"), Each(10.0F));
}

TEST(Optimizer, DecaysBiasesOnlyWhenAsked) {
  for (const bool decay_bias : {false, true}) {
    Training training(make_test_network(), {.learning_rate = 0.5,
                                            .momentum = 0,
                                            .weight_decay = 0.25,
                                            .decay = "decoupled",
                                            .decay_bias = decay_bias});
    for (float& parameter : training.parameters) parameter = 1;
    training.optimizer.step(training.parameters, training.gradients, 1, 1, 1);
    const float bias = decay_bias ? 0.875F : 1.0F;
    EXPECT_THAT(training.parameter("mix.weight"), Each(0.875F));
    EXPECT_THAT(training.parameter("head.weight"), Each(0.875F));
    for (const char* name : {"white.bias", "norm.scale", "norm.shift", "point.bias", "head.bias"})
      EXPECT_THAT(training.parameter(name), Each(bias)) << name;
    EXPECT_THAT(training.parameter("white.weight"), Each(1.0F));
  }
}

TEST(Optimizer, TrainsTheWhiteningBiasForItsOwnTime) {
  const OptimizerOptions options{.loss = "sum",
                                 .bias_learning_rate = 0.5,
                                 .momentum = 0,
                                 .weight_decay = 0,
                                 .whitening_bias_epochs = 1.75};
  Training training(make_test_network(), options, 100, 2);  // 3.5 steps, so 4
  for (float& gradient : training.gradients) gradient = 1;
  std::vector<float> course;
  for (int step = 0; step < 6; ++step) {
    training.optimizer.step(training.parameters, training.gradients, 0.125, 1, 1);
    course.push_back(training.parameter("white.bias")[5]);
  }
  EXPECT_THAT(course, ElementsAre(-0.5F, -0.875F, -1.125F, -1.25F, -1.25F, -1.25F));
  EXPECT_THAT(training.parameter("point.bias"), Each(-0.375F));  // follows the schedule instead
}

OptimizerOptions lookahead_options() {
  return {.loss = "sum",
          .learning_rate = 1,
          .momentum = 0,
          .weight_decay = 0,
          .lookahead_every = 3,
          .lookahead_factor = 0.5};
}

TEST(Lookahead, MeetsSlowWeightsPeriodicallyAndAtTheEnd) {
  Training training(make_head(), lookahead_options(), 5);
  for (float& weight : training.parameters) weight = 8;
  for (float& gradient : training.gradients) gradient = 1;
  std::vector<float> course;
  for (int step = 0; step < 5; ++step) {
    training.optimizer.step(training.parameters, training.gradients, 1, 1, 1);
    course.push_back(training.parameters[0]);
  }
  // slow: 8, then (8 + 5) / 2 = 6.5, then (6.5 + 4.5) / 2 = 5.5
  EXPECT_THAT(course, ElementsAre(7, 6, 6.5, 5.5, 5.5));
  EXPECT_THAT(training.parameter("head.weight"), Each(5.5F));
}

TEST(Optimizer, RefusesWhatCannotBe) {
  const auto error_of = [](const OptimizerOptions& options) {
    return test::thrown_message<UsageError>([&] { const Training training(make_head(), options); });
  };
  EXPECT_THAT(error_of({.kind = "adam"}), HasSubstr("kind cannot be \"adam\"; it is one of sgd, muon"));
  EXPECT_THAT(error_of({.loss = "average"}), HasSubstr("mean, sum"));
  EXPECT_THAT(error_of({.decay = "l2"}), HasSubstr("coupled, decoupled, coupled-by-rate"));
  EXPECT_THAT(error_of({.learning_rate = -1}), HasSubstr("learning rate is -1"));
  EXPECT_THAT(error_of({.momentum = 1.5}), HasSubstr("momentum is 1.5"));
  EXPECT_THAT(error_of({.muon_iterations = 0}), HasSubstr("Newton-Schulz iterations is 0"));
  EXPECT_THAT(error_of({.lookahead_every = -1}), HasSubstr("Lookahead is -1"));
}

TEST(Optimizer, RefusesArenasOfAnotherNetwork) {
  Training training(make_head(), {});
  std::vector<float> shorter(training.parameters.size() - 1);
  EXPECT_THROW(training.optimizer.step(shorter, training.gradients, 1, 1, 1), Error);
  EXPECT_THROW(training.optimizer.step(training.parameters, shorter, 1, 1, 1), Error);
}

}  // namespace
}  // namespace whorl::train
