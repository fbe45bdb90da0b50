// SPDX-License-Identifier: BSD-3-Clause
/// What the gpu backend promises as an Executor. On a GPU or, elsewhere, emulated.
#include <gmock/gmock.h>

#include <algorithm>

#include "base/error.hpp"
#include "nn_gpu/gpu_problem.hpp"

namespace whorl::nn {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class GpuExecutor : public GpuTest {};

TEST_F(GpuExecutor, AShardDoesNotDependOnTheOneBefore) {
  Problem problem = make_problem(make_network("petal", 16, 10, normalisation), 2, 1);
  const auto executor = gpu_executor(problem);
  const std::vector<float> first = gradients_of(*executor, problem);
  Problem other = problem;
  std::reverse(other.images.begin(), other.images.end());
  EXPECT_NE(gradients_of(*executor, other), first);
  EXPECT_EQ(gradients_of(*executor, problem), first);
}

TEST_F(GpuExecutor, GradientsAreAddedAndReadyInGrowingPrefixes) {
  const Problem problem = make_problem(make_network("petal", 16, 10, normalisation), 2, 1);
  const auto executor = gpu_executor(problem);
  const std::vector<float> expected = gradients_of(*executor, problem);
  std::vector<float> gradients(problem.parameters.size(), 0.0F);
  std::vector<std::size_t> ends{0};
  executor->forward_backward(problem.shard(), gradients, [&](std::size_t end) {
    EXPECT_GT(end, ends.back());
    ends.push_back(end);
    for (std::size_t i = 0; i < end; ++i) ASSERT_EQ(gradients[i], expected[i]) << i << " of " << end;
  });
  EXPECT_EQ(ends.back(), problem.parameters.size());
  EXPECT_GE(ends.size(), 8U);  // a convolution's are not kept for those before
  const std::vector<float> onto_one = gradients_of(*executor, problem, 1);
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(onto_one[i], 1 + expected[i]) << i;
}

TEST_F(GpuExecutor, FewerPicturesHaveTheSameLogits) {
  const Problem problem = make_problem(make_network("petal", 16, 10, normalisation), 3, 1);
  const auto executor = gpu_executor(problem);
  std::vector<float> all(std::size_t{3} * 10), last(10);
  executor->infer(problem.images, all);
  executor->infer(std::span(problem.images).subspan(2 * problem.network.input.count()), last);
  EXPECT_TRUE(std::equal(last.begin(), last.end(), all.begin() + 20));
}

TEST_F(GpuExecutor, ItsPlanIsKept) {
  const Problem problem = make_problem(make_network("petal", 16, 10, normalisation), 2, 1);
  CompileOptions options = problem.options();
  options.plan = gpu_executor(problem)->plan();
  EXPECT_THAT(options.plan, HasSubstr("conv6 backward-weights"));
  EXPECT_EQ(compile(problem.network, "gpu", options)->plan(), options.plan);
  options.plan = "measured";
  EXPECT_THAT([&] { compile(problem.network, "gpu", options); },
              ThrowsMessage<Error>(HasSubstr("not measured")));
}

TEST_F(GpuExecutor, WrongLabelsAndSizesAreNamed) {
  Problem problem = make_problem(make_network("petal", 16, 10, normalisation), 2, 1);
  const auto executor = gpu_executor(problem);
  problem.labels[1] = 10;
  EXPECT_THAT([&] { gradients_of(*executor, problem); },
              ThrowsMessage<Error>(HasSubstr("picture 1 of a shard has label 10")));
  problem.labels.pop_back();
  EXPECT_THAT([&] { gradients_of(*executor, problem); }, ThrowsMessage<Error>(HasSubstr("for shards of 2")));
}

TEST_F(GpuExecutor, WhatItDoesNotComputeIsNamed) {
  NetworkBuilder net("small", {3, 8, 8}, normalisation);
  net.add("conv", Conv{.filters = 8});
  net.add("overlapping", Pool{.window = 3, .stride = 1, .padding = 1});
  net.add("norm", BatchNorm{});
  net.add("head", Linear{.outputs = 3});
  const Network network = std::move(net).build();
  EXPECT_THAT([&] { compile(network, "gpu", {.shard_size = 2}); },
              ThrowsMessage<Error>(HasSubstr("layer overlapping: on a GPU")));
}

}  // namespace
}  // namespace whorl::nn
