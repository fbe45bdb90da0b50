// SPDX-License-Identifier: BSD-3-Clause
#include "nn/executor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "base/keyed_random.hpp"

namespace whorl::nn {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

constexpr int shard_size = 4;

class ReferenceExecutorTest : public ::testing::Test {
 protected:
  ReferenceExecutorTest()
      : network_(make_network("petal", 16, 5, {{0.4F, 0.5F, 0.6F}, {0.2F, 0.25F, 0.3F}})),
        executor_(compile(network_, "reference", {.shard_size = shard_size, .label_smoothing = 0.2F})),
        parameters_(network_.parameters.size()) {
    initialise(network_, 7, parameters_);
    KeyedRandom random(7, RandomPurpose::test, 0, 0);
    const Tensor& whitening = *network_.parameters.find(0, Role::conv_weight);
    for (std::size_t i = 0; i < whitening.count; ++i)
      parameters_[whitening.offset + i] = random.uniform(-1, 1);
    executor_->set_parameters(parameters_);
    images_.resize(shard_size * network_.input.count());
    for (auto& value : images_) value = static_cast<std::uint8_t>(random.below(256));
  }

  Shard shard() const { return {images_, labels_}; }

  std::vector<float> gradients(float already_there = 0) {
    std::vector<float> sum(parameters_.size(), already_there);
    executor_->forward_backward(shard(), sum, {});
    return sum;
  }

  Network network_;
  std::unique_ptr<Executor> executor_;
  std::vector<float> parameters_;
  std::vector<std::uint8_t> images_;
  std::vector<std::int32_t> labels_{3, 0, 4, 1};
};

TEST_F(ReferenceExecutorTest, GradientsAreAddedAndFrozenSlotsLeftAlone) {
  const std::vector<float> once = gradients(0), onto_one = gradients(1);
  const Tensor& frozen = *network_.parameters.find(0, Role::conv_weight);
  for (const Tensor& tensor : network_.parameters.tensors()) {
    bool any = false;
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.count; ++i) {
      EXPECT_EQ(onto_one[i], 1 + once[i]) << tensor.name;
      any = any || once[i] != 0;
    }
    EXPECT_EQ(any, tensor.name != frozen.name) << tensor.name;
  }
}

TEST_F(ReferenceExecutorTest, ReadyPrefixesGrowAndAreFinal) {
  std::vector<float> sum(parameters_.size(), 0.0F);
  std::vector<std::size_t> ends;
  std::vector<std::vector<float>> prefixes;
  executor_->forward_backward(shard(), sum, [&](std::size_t end) {
    ends.push_back(end);
    prefixes.emplace_back(sum.begin(), sum.begin() + end);
  });
  std::vector<std::size_t> expected;  // the ends of layers with tensors, last layer first
  for (int layer = static_cast<int>(network_.layers.size()) - 1; layer >= 0; --layer) {
    const std::size_t end = network_.parameters.end_of(layer);
    if (end > 0 && (expected.empty() || end != expected.back())) expected.push_back(end);
  }
  EXPECT_EQ(ends, expected);
  EXPECT_EQ(ends.back(), sum.size());
  for (const auto& prefix : prefixes) EXPECT_TRUE(std::equal(prefix.begin(), prefix.end(), sum.begin()));
}

TEST_F(ReferenceExecutorTest, LossFallsAlongTheGradient) {
  std::vector<float> sum(parameters_.size(), 0.0F);
  const ShardResult before = executor_->forward_backward(shard(), sum, {});
  EXPECT_GE(before.correct, 0);
  EXPECT_LE(before.correct, shard_size);
  double squares = 0;
  constexpr float rate = 1e-5F;
  for (const Tensor& tensor : network_.parameters.tensors()) {
    if (tensor.role == Role::running_mean || tensor.role == Role::running_variance) continue;
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.count; ++i) {
      parameters_[i] -= rate * sum[i];
      squares += std::pow(sum[i], 2);
    }
  }
  executor_->set_parameters(parameters_);
  const ShardResult after = executor_->forward_backward(shard(), sum, {});
  const double expected = squares * double(rate);
  EXPECT_NEAR(before.loss - after.loss, expected, 0.05 * expected);
}

TEST_F(ReferenceExecutorTest, APicturesLogitsDoNotDependOnTheOthers) {
  std::vector<float> together(shard_size * 5), alone(5);
  executor_->infer(images_, together);
  const std::size_t picture = network_.input.count();
  for (int n = 0; n < shard_size; ++n) {
    executor_->infer(std::span(images_).subspan(n * picture, picture), alone);
    EXPECT_EQ(alone, std::vector<float>(together.begin() + n * 5, together.begin() + (n + 1) * 5)) << n;
  }
}

TEST_F(ReferenceExecutorTest, RefusesWrongSizes) {
  std::vector<float> small(parameters_.size() - 1), logits(shard_size * 5);
  std::vector<float> sum(parameters_.size());
  EXPECT_THROW(executor_->set_parameters(small), Error);
  EXPECT_THROW(executor_->forward_backward(shard(), small, {}), Error);
  EXPECT_THROW(executor_->forward_backward({images_, std::span(labels_).first(3)}, sum, {}), Error);
  EXPECT_THROW(executor_->infer(images_, std::span(logits).first(5)), Error);
}

TEST_F(ReferenceExecutorTest, PassTimesAreTakenOnce) {
  gradients();
  const Executor::PassSeconds seconds = executor_->take_pass_seconds();
  EXPECT_GT(seconds.forward, 0);
  EXPECT_GT(seconds.backward, 0);
  EXPECT_EQ(executor_->take_pass_seconds().forward, 0);
}

TEST(ReferenceExecutor, PicturesAreNormalisedFromInterleavedBytes) {
  // Global average pooling and a head that passes channels on: the logits are the mean normalised channels.
  NetworkBuilder builder("means", {3, 2, 2}, {{0.5F, 0.25F, 0}, {0.5F, 0.25F, 1}});
  builder.add("average", Pool{.kind = Pool::average});
  builder.add("logits", Scale{1});
  const Network network = std::move(builder).build();
  const auto executor = compile(network, "reference", {.shard_size = 2});
  const std::vector<std::uint8_t> images{255, 0,   51, 255, 0,   51, 255, 0,   51, 255, 0,   51,
                                         0,   255, 0,  0,   255, 0,  0,   255, 0,  0,   255, 204};
  std::vector<float> logits(6);
  executor->infer(images, logits);
  const std::vector<float> expected{1, -1, 0.2F, -1, 3, 0.2F};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_FLOAT_EQ(logits[i], expected[i]) << i;
}

TEST(Compile, KnowsItsBackends) {
  EXPECT_THAT(available_backends(),
              ::testing::AnyOf(ElementsAre("reference", "cpu"), ElementsAre("reference", "cpu", "gpu")));
  const Network network = make_network("petal", 16, 5, {});
  for (const std::string backend : {"reference", "cpu"}) {
    EXPECT_EQ(compile(network, backend, {.shard_size = 2})->name(), backend);
    EXPECT_THROW(compile(network, backend, {.shard_size = 2, .precision = Precision::float16}), Error);
  }
  try {
    compile(network, "abacus", {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("no backend abacus: this build has reference, cpu"));
  }
}

TEST(Compile, RefusesImpossibleOptions) {
  const Network network = make_network("petal", 16, 5, {});
  EXPECT_THROW(compile(network, "reference", {.shard_size = 0}), Error);
  EXPECT_THROW(compile(network, "reference", {.label_smoothing = 1}), Error);
}

}  // namespace
}  // namespace whorl::nn
