// SPDX-License-Identifier: BSD-3-Clause
/// The gpu backend, emulated, against the reference, which computes in double precision: losses, logits and
/// every tensor's gradient.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "nn/cuda/kernels/emulator/grid.hpp"
#include "nn_cpu/problem.hpp"
#include "nn_cuda_emulated/emulated_runtime.hpp"

namespace whorl::nn {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr Normalisation normalisation{{0.49F, 0.48F, 0.45F}, {0.25F, 0.24F, 0.26F}};

void expect_parity(const Problem& problem, double tolerance, Precision precision = Precision::float32) {
  const Outcome expected = run(problem, "reference", problem.options());
  CompileOptions options = problem.options();
  options.precision = precision;
  expect_same_outcome(problem, run(problem, "gpu", options), expected, tolerance);
}

NetworkBuilder small_network(int size) {
  return NetworkBuilder("small", {3, size, size}, normalisation);
}

TEST(GpuParity, Petal) {
  expect_parity(make_problem(make_network("petal", 32, 10, normalisation), 3, 1), 2e-5);
}

TEST(GpuParity, Air94) {
  expect_parity(make_problem(make_network("air94", 32, 10, normalisation), 2, 1), 2e-5);
}

TEST(GpuParity, Resnet18) {
  expect_parity(make_problem(make_network("resnet18", 32, 7, normalisation), 4, 1, 1e-5), 1e-4);
}

TEST(GpuParity, StridesBiasOverlappingPoolAndSpatialHead) {
  NetworkBuilder net = small_network(19);
  net.add("conv", Conv{.filters = 24, .stride = 2, .bias = true});
  net.add("relu", Activation{Activation::relu});
  net.add("pool", Pool{.window = 3, .stride = 2, .padding = 1});
  net.add("conv2", Conv{.filters = 8, .kernel = 2, .padding = 0, .bias = true});
  net.add("gelu", Activation{Activation::gelu});
  net.add("head", Linear{.outputs = 4});
  expect_parity(make_problem(std::move(net).build(), 3, 2), 1e-5);
}

// Pooling, norm, sum and activation in one group, whose second input has another reader, too.
TEST(GpuParity, AllPartsOfAGroup) {
  NetworkBuilder net = small_network(12);
  const int trunk = net.add("trunk", Conv{.filters = 16, .stride = 2});
  net.add("conv", Conv{.filters = 16}, network_input);
  net.add("pool", Pool{});
  const int norm = net.add("norm", BatchNorm{});
  net.add_sum("sum", trunk, norm);
  const int gelu = net.add("gelu", Activation{Activation::gelu});
  const int left = net.add("left", Conv{.filters = 16}, trunk);
  net.add_sum("sum2", gelu, left);
  net.add("head", Linear{.outputs = 6, .bias = false});
  expect_parity(make_problem(std::move(net).build(), 3, 3), 1e-5);
}

TEST(GpuParity, ALayerWithFourReaders) {
  NetworkBuilder net = small_network(8);
  const int trunk = net.add("trunk", Conv{.filters = 16, .bias = true});
  const int doubled = net.add_sum("doubled", trunk, trunk);
  const int pooled = net.add("pooled", Pool{.window = 1, .stride = 1}, trunk);
  const int average = net.add("average", Pool{.kind = Pool::average, .window = 1, .stride = 1}, trunk);
  const int sum = net.add_sum("sum", doubled, pooled);
  const int scaled = net.add("scaled", Scale{0.5F}, average);
  net.add_sum("sum2", sum, scaled);
  net.add("head", Linear{.outputs = 3});
  expect_parity(make_problem(std::move(net).build(), 2, 4), 1e-5);
}

TEST(GpuParity, PicturesReadByOtherThanConvolutions) {
  NetworkBuilder net = small_network(9);
  const int norm = net.add("norm", BatchNorm{});
  const int average =
      net.add("average", Pool{.kind = Pool::average, .window = 1, .stride = 1}, network_input);
  net.add_sum("sum", average, network_input);
  const int relu = net.add("relu", Activation{Activation::relu});
  net.add_sum("sum2", relu, norm);
  net.add("average2", Pool{.kind = Pool::average, .window = 3, .stride = 2});
  net.add("head", Linear{.outputs = 40});
  expect_parity(make_problem(std::move(net).build(), 3, 5), 1e-5);
}

TEST(GpuParity, LogitsWithoutALinearLayer) {
  NetworkBuilder net = small_network(4);
  net.add("conv", Conv{.filters = 24});
  net.add("average", Pool{.kind = Pool::average, .window = 4, .stride = 4});
  net.add("scale", Scale{3});
  expect_parity(make_problem(std::move(net).build(), 2, 6), 1e-5);
}

/// Without maxima and ReLUs, which 16 bits would decide otherwise.
Network smooth_network() {
  NetworkBuilder net = small_network(12);
  net.add("conv1", Conv{.filters = 16, .stride = 2});
  net.add("norm1", BatchNorm{});
  const int trunk = net.add("gelu1", Activation{Activation::gelu});
  net.add("conv2", Conv{.filters = 16});
  const int norm = net.add("norm2", BatchNorm{});
  net.add_sum("sum", norm, trunk);
  net.add("gelu2", Activation{Activation::gelu});
  net.add("average", Pool{.kind = Pool::average, .window = 6, .stride = 6});
  net.add("head", Linear{.outputs = 5});
  return std::move(net).build();
}

TEST(GpuParity, EveryPrecision) {
  const Problem problem = make_problem(smooth_network(), 6, 9);
  expect_parity(problem, 1e-5, Precision::float32);
  expect_parity(problem, 1e-5, Precision::tf32);  // emulated convolutions are exact
  expect_parity(problem, 4e-3, Precision::float16);
  expect_parity(problem, 3e-2, Precision::bfloat16);
}

/// Compiled for `problem`, and the problem's parameters.
std::unique_ptr<Executor> gpu_executor(const Problem& problem) {
  auto executor = compile(problem.network, "gpu", problem.options());
  executor->set_parameters(problem.parameters);
  return executor;
}

std::vector<float> gradients_of(Executor& executor, const Problem& problem, float before = 0) {
  std::vector<float> gradients(problem.parameters.size(), before);
  executor.forward_backward(problem.shard(), gradients, {});
  return gradients;
}

TEST(GpuExecutor, AShardDoesNotDependOnTheOneBefore) {
  Problem problem = make_problem(make_network("petal", 16, 10, normalisation), 2, 1);
  const auto executor = gpu_executor(problem);
  const std::vector<float> first = gradients_of(*executor, problem);
  Problem other = problem;
  std::reverse(other.images.begin(), other.images.end());
  EXPECT_NE(gradients_of(*executor, other), first);
  EXPECT_EQ(gradients_of(*executor, problem), first);
}

TEST(GpuExecutor, EqualBitsInAnyOrderOfBlocksAndThreads) {
  const Problem problem = make_problem(make_network("petal", 16, 10, normalisation), 2, 1);
  const auto executor = gpu_executor(problem);
  const std::vector<float> forward = gradients_of(*executor, problem);
  cuda::emulator::grid().order = cuda::emulator::Order::reverse;
  EXPECT_EQ(gradients_of(*executor, problem), forward);
  cuda::emulator::grid().order = cuda::emulator::Order::forward;
}

TEST(GpuExecutor, GradientsAreAddedAndReadyInGrowingPrefixes) {
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

TEST(GpuExecutor, FewerPicturesHaveTheSameLogits) {
  const Problem problem = make_problem(make_network("petal", 16, 10, normalisation), 3, 1);
  const auto executor = gpu_executor(problem);
  std::vector<float> all(std::size_t{3} * 10), last(10);
  executor->infer(problem.images, all);
  executor->infer(std::span(problem.images).subspan(2 * problem.network.input.count()), last);
  EXPECT_TRUE(std::equal(last.begin(), last.end(), all.begin() + 20));
}

TEST(GpuExecutor, ItsPlanIsKept) {
  const Problem problem = make_problem(make_network("petal", 16, 10, normalisation), 2, 1);
  CompileOptions options = problem.options();
  options.plan = gpu_executor(problem)->plan();
  EXPECT_THAT(options.plan, HasSubstr("conv6 backward-weights"));
  EXPECT_EQ(compile(problem.network, "gpu", options)->plan(), options.plan);
  options.plan = "measured";
  EXPECT_THAT([&] { compile(problem.network, "gpu", options); },
              ThrowsMessage<Error>(HasSubstr("not measured")));
}

TEST(GpuExecutor, WrongLabelsAndSizesAreNamed) {
  Problem problem = make_problem(make_network("petal", 16, 10, normalisation), 2, 1);
  const auto executor = gpu_executor(problem);
  problem.labels[1] = 10;
  EXPECT_THAT([&] { gradients_of(*executor, problem); },
              ThrowsMessage<Error>(HasSubstr("picture 1 of a shard has label 10")));
  problem.labels.pop_back();
  EXPECT_THAT([&] { gradients_of(*executor, problem); }, ThrowsMessage<Error>(HasSubstr("for shards of 2")));
}

TEST(GpuExecutor, TooLittleMemoryIsToldByLayerAndByWhatFits) {
  const Network network = make_network("air94", 32, 10, normalisation);
  const std::size_t needed = compile(network, "gpu", {.shard_size = 8})->memory_bytes();
  cuda::emulator::memory_left = needed - 1;
  EXPECT_THAT([&] { compile(network, "gpu", {.shard_size = 8}); },
              ThrowsMessage<Error>(AllOf(HasSubstr("network air94 with shards of 8 pictures"),
                                         HasSubstr("most for layer conv1"),
                                         HasSubstr("about 7 pictures would fit (train.shard)"))));
  cuda::emulator::memory_left = 1000;
  EXPECT_THAT([&] { compile(network, "gpu", {.shard_size = 8}); },
              ThrowsMessage<Error>(HasSubstr("not one picture would fit")));
  cuda::emulator::memory_left = needed;
  EXPECT_EQ(compile(network, "gpu", {.shard_size = 8})->memory_bytes(), needed);
  cuda::emulator::memory_left = std::size_t{1} << 30;
}

TEST(GpuExecutor, WhatItDoesNotComputeIsNamed) {
  NetworkBuilder net = small_network(8);
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
