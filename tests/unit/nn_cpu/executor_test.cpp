// SPDX-License-Identifier: BSD-3-Clause
#include "nn/executor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "nn/cpu/groups.hpp"
#include "problem.hpp"

namespace whorl::nn {
namespace {

constexpr Normalisation normalisation{{0.4F, 0.5F, 0.6F}, {0.2F, 0.25F, 0.3F}};

class CpuExecutor : public ::testing::Test {
 protected:
  const Problem problem_ = make_problem(make_network("petal", 16, 5, normalisation), 5, 11);

  std::unique_ptr<Executor> compiled(const CompileOptions& options) const {
    auto executor = compile(problem_.network, "cpu", options);
    executor->set_parameters(problem_.parameters);
    return executor;
  }
  std::vector<float> gradients(Executor& executor, float already_there = 0) const {
    std::vector<float> sum(problem_.parameters.size(), already_there);
    executor.forward_backward(problem_.shard(), sum, {});
    return sum;
  }
};

TEST_F(CpuExecutor, IsTheSameToTheBitWithTheSamePlan) {
  CompileOptions options = problem_.options();
  const auto first = compiled(options);
  options.plan = first->plan();
  const auto second = compiled(options);
  EXPECT_EQ(second->plan(), options.plan);
  const std::vector<float> expected = gradients(*first);
  EXPECT_EQ(gradients(*first), expected);
  EXPECT_EQ(gradients(*second), expected);
}

// A shard's gradients have to be the same wherever it is computed: in another thread, after other shards, by
// another executor.
TEST_F(CpuExecutor, IsTheSameToTheBitInThreads) {
  const auto here = compiled(problem_.options());
  const std::vector<float> expected = gradients(*here);
  std::array<std::vector<float>, 3> got;
  {
    std::vector<std::jthread> threads;
    for (auto& result : got)
      threads.emplace_back([&] {
        const auto executor = compiled(problem_.options());
        for (int i = 0; i < 3; ++i) result = gradients(*executor);
      });
  }
  for (const auto& result : got) EXPECT_EQ(result, expected);
}

TEST_F(CpuExecutor, PlanNamesEveryConvolutionAndLinearLayer) {
  const std::string plan = compiled(problem_.options())->plan();
  for (const char* layer : {"whiten", "conv1", "conv6", "head"})
    EXPECT_THAT(plan, ::testing::HasSubstr(layer));
}

TEST(CpuPlan, ForwardTilesAreSmallWhereManyLayersFollow) {
  const Network network = make_network("air94", 32, 10, normalisation);
  EXPECT_EQ(compile(network, "cpu", {.shard_size = 100})->plan(),
            "conv1 winograd4/6\nconv2 winograd4/5\nconv3 winograd5/6\nconv4 winograd5\nconv5 winograd6\n"
            "conv6 winograd3\nhead direct\nwhiten direct\n");
}

TEST_F(CpuExecutor, RefusesPlansThatDoNotFit) {
  const auto message_of = [&](const std::string& plan) {
    CompileOptions options = problem_.options();
    options.plan = plan;
    try {
      compile(problem_.network, "cpu", options);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message_of("whiten\n"), ::testing::HasSubstr("not a layer and an algorithm"));
  EXPECT_THAT(message_of("whiten fft\n"),
              ::testing::HasSubstr("fft is none of direct, winograd3 to winograd6"));
  EXPECT_THAT(message_of("whiten direct\n"), ::testing::HasSubstr("no algorithm for layer conv1"));
  EXPECT_THAT(message_of("whiten winograd4\n"),
              ::testing::HasSubstr("the plan has winograd4 for layer whiten"));
}

TEST_F(CpuExecutor, AddsGradientsAndLeavesFrozenSlotsAlone) {
  const auto executor = compiled(problem_.options());
  const std::vector<float> once = gradients(*executor, 0), onto_two = gradients(*executor, 2);
  for (const Tensor& tensor : problem_.network.parameters.tensors()) {
    bool any = false;
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.count; ++i) {
      EXPECT_EQ(onto_two[i], 2 + once[i]) << tensor.name;
      any = any || once[i] != 0;
    }
    EXPECT_EQ(any, tensor.name != "whiten.weight") << tensor.name;
  }
}

TEST_F(CpuExecutor, ReadyPrefixesGrowAndAreFinal) {
  const auto executor = compiled(problem_.options());
  std::vector<float> sum(problem_.parameters.size(), 0.0F);
  std::vector<std::size_t> ends;
  std::vector<std::vector<float>> prefixes;
  executor->forward_backward(problem_.shard(), sum, [&](std::size_t end) {
    ends.push_back(end);
    prefixes.emplace_back(sum.begin(), sum.begin() + end);
  });
  EXPECT_GE(ends.size(), 8U);  // a head, six convolutions and the whitening at least
  EXPECT_TRUE(std::is_sorted(ends.begin(), ends.end()));
  EXPECT_EQ(std::adjacent_find(ends.begin(), ends.end()), ends.end());
  EXPECT_EQ(ends.back(), sum.size());
  for (const auto& prefix : prefixes) EXPECT_TRUE(std::equal(prefix.begin(), prefix.end(), sum.begin()));
}

TEST_F(CpuExecutor, APicturesLogitsDoNotDependOnTheOthers) {
  const auto executor = compiled(problem_.options());
  const std::size_t picture = problem_.network.input.count();
  std::vector<float> together(problem_.shard_size * 5), alone(5);
  executor->infer(problem_.images, together);
  for (int n = 0; n < problem_.shard_size; ++n) {
    gradients(*executor);  // leaves other numbers in the memory of the pictures that are not given
    executor->infer(std::span(problem_.images).subspan(n * picture, picture), alone);
    EXPECT_EQ(alone, std::vector<float>(together.begin() + n * 5, together.begin() + (n + 1) * 5)) << n;
  }
}

TEST_F(CpuExecutor, RefusesWrongSizesAndLabels) {
  const auto executor = compiled(problem_.options());
  std::vector<float> sum(problem_.parameters.size()), small(sum.size() - 1), logits(problem_.shard_size * 5);
  std::vector<std::int32_t> wrong = problem_.labels;
  wrong[3] = 5;
  EXPECT_THROW(executor->set_parameters(small), Error);
  EXPECT_THROW(executor->forward_backward(problem_.shard(), small, {}), Error);
  EXPECT_THROW(executor->forward_backward({problem_.images, std::span(problem_.labels).first(4)}, sum, {}),
               Error);
  EXPECT_THROW(executor->forward_backward({problem_.images, wrong}, sum, {}), Error);
  EXPECT_THROW(executor->infer(problem_.images, std::span(logits).first(5)), Error);
}

TEST_F(CpuExecutor, CountsTimeAndMemory) {
  const auto executor = compiled(problem_.options());
  gradients(*executor);
  const Executor::PassSeconds seconds = executor->take_pass_seconds();
  EXPECT_GT(seconds.forward, 0);
  EXPECT_GT(seconds.backward, 0);
  EXPECT_EQ(executor->take_pass_seconds().backward, 0);
  EXPECT_GT(executor->memory_bytes(), problem_.parameters.size() * sizeof(float));
}

TEST(CpuGroups, AResidualBlockBecomesFourGroups) {
  NetworkBuilder net("block", {3, 8, 8}, normalisation);
  net.add("stem", Conv{.filters = 16});
  const int stem_pool = net.add("stem_pool", Pool{});
  net.add("conv1", Conv{.filters = 16});
  net.add("norm1", BatchNorm{});
  net.add("relu1", Activation{});
  net.add("conv2", Conv{.filters = 16});
  const int norm2 = net.add("norm2", BatchNorm{});
  const int sum = net.add_sum("sum", norm2, stem_pool);
  const int relu2 = net.add("relu2", Activation{});
  net.add("head", Linear{.outputs = 2});
  const std::vector<cpu::Group> groups = cpu::group_layers(std::move(net).build());
  ASSERT_EQ(groups.size(), 7U);  // stem, stem_pool, conv1, norm1 + relu1, conv2, norm2 + sum + relu2, head
  const cpu::Group& last = groups[5];
  EXPECT_EQ(last.norm, norm2);
  EXPECT_EQ(last.sum, sum);
  EXPECT_EQ(last.residual, stem_pool);
  EXPECT_EQ(last.output, relu2);
  EXPECT_EQ(last.pool, cpu::Group::none);
  EXPECT_TRUE(last.input_needs_gradient);
  EXPECT_FALSE(groups[0].input_needs_gradient);
}

// The pooling and statistics of norm1 go to conv1, its ReLU to conv2; the last ReLU stays, for there is a
// second reader.
TEST(CpuGroups, WinogradConvolutionsTakeOverTheirNeighbours) {
  NetworkBuilder net("linked", {3, 8, 8}, normalisation);
  net.add("stem", Conv{.filters = 16});
  net.add("conv1", Conv{.filters = 16});
  net.add("norm1", BatchNorm{});
  net.add("relu1", Activation{});
  net.add("conv2", Conv{.filters = 16});
  const int relu2 = net.add("relu2", Activation{});
  const int conv3 = net.add("conv3", Conv{.filters = 16});
  net.add_sum("sum", conv3, relu2);
  net.add("head", Linear{.outputs = 2});
  const Network network = std::move(net).build();
  std::vector<cpu::Group> groups = cpu::group_layers(network);
  ASSERT_EQ(groups.size(), 8U);  // stem, conv1, norm1 + relu1, conv2, relu2, conv3, sum, head
  for (const int conv : {1, 3, 5}) groups[conv].algorithm = {{4, 4}};
  cpu::link_to_convolutions(network, groups);
  EXPECT_EQ(groups[2].producer, 1);
  EXPECT_EQ(groups[2].consumer, 3);
  EXPECT_EQ(groups[4].producer, 3);
  EXPECT_EQ(groups[4].consumer, cpu::Group::none);
  EXPECT_EQ(groups[6].producer, 5);
}

TEST(CpuGroups, RefusesAnUnusedLayer) {
  NetworkBuilder net("unused", {3, 8, 8}, normalisation);
  net.add("conv", Conv{.filters = 4});
  net.add("head", Linear{.outputs = 2}, network_input);
  EXPECT_THROW(cpu::group_layers(std::move(net).build()), Error);
}

}  // namespace
}  // namespace whorl::nn
