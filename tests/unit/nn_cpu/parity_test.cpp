// SPDX-License-Identifier: BSD-3-Clause
/// The cpu backend against the reference, which computes in double precision: losses, logits and every
/// tensor's gradient.
#include <gtest/gtest.h>

#include <string>

#include "nn/cpu/instruction_set.hpp"
#include "problem.hpp"

namespace whorl::nn {
namespace {

constexpr Normalisation normalisation{{0.49F, 0.48F, 0.45F}, {0.25F, 0.24F, 0.26F}};

void expect_parity(const Problem& problem, double tolerance) {
  const Outcome expected = run(problem, "reference", problem.options());
  expect_same_outcome(problem, run(problem, "cpu", problem.options()), expected, tolerance);
}

NetworkBuilder small_network(int size) {
  return NetworkBuilder("small", {3, size, size}, normalisation);
}

TEST(CpuParity, Petal) {
  expect_parity(make_problem(make_network("petal", 32, 10, normalisation), 3, 1), 2e-5);
}

TEST(CpuParity, Air94) {
  expect_parity(make_problem(make_network("air94", 32, 10, normalisation), 2, 1), 2e-5);
}

TEST(CpuParity, PetalOnEveryInstructionSet) {
  const Problem problem = make_problem(make_network("petal", 32, 10, normalisation), 3, 1);
  const Outcome expected = run(problem, "reference", problem.options());
  for (const std::string& name : cpu::available_instruction_sets()) {
    SCOPED_TRACE(name);
    cpu::use_instruction_set(name);
    expect_same_outcome(problem, run(problem, "cpu", problem.options()), expected, 2e-5);
  }
  cpu::use_instruction_set("");
}

TEST(CpuParity, Air94WithDirectConvolutions) {
  const Problem problem = make_problem(make_network("air94", 32, 10, normalisation), 2, 1);
  CompileOptions options = problem.options();
  options.plan = "direct";
  expect_same_outcome(problem, run(problem, "cpu", options), run(problem, "reference", problem.options()),
                      1e-5);
}

TEST(CpuParity, Air94WithMeasuredAlgorithms) {
  const Problem problem = make_problem(make_network("air94", 32, 10, normalisation), 2, 1);
  CompileOptions options = problem.options();
  options.plan = "measured";
  expect_same_outcome(problem, run(problem, "cpu", options), run(problem, "reference", problem.options()),
                      2e-5);
}

// The last stage has one pixel at 32 px and four at 48 px: batch-norm over so few values amplifies rounding.
// Over four values it is too much for Winograd's, which is twice that of direct convolutions.
TEST(CpuParity, Resnet18WithDirectConvolutions) {
  const Problem problem = make_problem(make_network("resnet18", 32, 7, normalisation), 4, 1, 1e-5);
  CompileOptions options = problem.options();
  options.plan = "direct";
  expect_same_outcome(problem, run(problem, "cpu", options), run(problem, "reference", problem.options()),
                      1e-4);
}

TEST(CpuParity, Resnet18OfLargerPictures) {
  expect_parity(make_problem(make_network("resnet18", 48, 7, normalisation), 2, 1, 1e-5), 1e-4);
}

TEST(CpuParity, StridesBiasOverlappingPoolAndSpatialHead) {
  NetworkBuilder net = small_network(19);
  net.add("conv", Conv{.filters = 21, .stride = 2, .bias = true});
  net.add("relu", Activation{Activation::relu});
  net.add("pool", Pool{.window = 3, .stride = 2, .padding = 1});
  net.add("conv2", Conv{.filters = 5, .kernel = 2, .padding = 0, .bias = true});
  net.add("gelu", Activation{Activation::gelu});
  net.add("head", Linear{.outputs = 4});
  expect_parity(make_problem(std::move(net).build(), 3, 2), 1e-5);
}

// Pooling, norm, sum and activation in one group, whose second input has another reader, too.
TEST(CpuParity, AllPartsOfAGroup) {
  NetworkBuilder net = small_network(12);
  const int trunk = net.add("trunk", Conv{.filters = 18, .stride = 2});
  net.add("conv", Conv{.filters = 18}, network_input);
  net.add("pool", Pool{});
  const int norm = net.add("norm", BatchNorm{});
  net.add_sum("sum", trunk, norm);
  const int gelu = net.add("gelu", Activation{Activation::gelu});
  const int left = net.add("left", Conv{.filters = 18}, trunk);
  net.add_sum("sum2", gelu, left);
  net.add("head", Linear{.outputs = 6, .bias = false});
  expect_parity(make_problem(std::move(net).build(), 3, 3), 1e-5);
}

// Four pictures to a sheet, the last sheet has three.
TEST(CpuParity, SmallPicturesInSheets) {
  NetworkBuilder net = small_network(7);
  net.add("conv1", Conv{.filters = 16});
  net.add("norm1", BatchNorm{});
  net.add("gelu1", Activation{Activation::gelu});
  net.add("conv2", Conv{.filters = 24});
  net.add("norm2", BatchNorm{});
  net.add("gelu2", Activation{Activation::gelu});
  net.add("head", Linear{.outputs = 3});
  const Problem problem = make_problem(std::move(net).build(), 15, 4);
  const std::string plan = compile(problem.network, "cpu", problem.options())->plan();
  EXPECT_NE(plan.find("conv2 winograd5\n"), std::string::npos) << plan;
  expect_parity(problem, 1e-5);
}

TEST(CpuParity, ALayerWithFourReaders) {
  NetworkBuilder net = small_network(8);
  const int trunk = net.add("trunk", Conv{.filters = 16});
  const int doubled = net.add_sum("doubled", trunk, trunk);
  const int pooled = net.add("pooled", Pool{.window = 3, .stride = 1, .padding = 1}, trunk);
  const int average = net.add("average", Pool{.kind = Pool::average, .window = 1, .stride = 1}, trunk);
  const int sum = net.add_sum("sum", doubled, pooled);
  const int scaled = net.add("scaled", Scale{0.5F}, average);
  net.add_sum("sum2", sum, scaled);
  net.add("head", Linear{.outputs = 3});
  expect_parity(make_problem(std::move(net).build(), 2, 4), 1e-5);
}

TEST(CpuParity, PicturesReadByOtherThanConvolutions) {
  NetworkBuilder net = small_network(9);
  const int norm = net.add("norm", BatchNorm{});
  const int conv = net.add("conv", Conv{.filters = 3}, network_input);
  net.add_sum("sum", conv, network_input);
  const int relu = net.add("relu", Activation{Activation::relu});
  net.add_sum("sum2", relu, norm);
  net.add("average", Pool{.kind = Pool::average, .window = 3, .stride = 2});
  net.add("head", Linear{.outputs = 40});
  expect_parity(make_problem(std::move(net).build(), 3, 5), 1e-5);
}

TEST(CpuParity, LogitsWithoutALinearLayer) {
  NetworkBuilder net = small_network(4);
  net.add("conv", Conv{.filters = 20});
  net.add("average", Pool{.kind = Pool::average, .window = 4, .stride = 4});
  net.add("scale", Scale{3});
  expect_parity(make_problem(std::move(net).build(), 2, 6), 1e-5);
}

// A window with more cells than a byte counts.
TEST(CpuParity, LargePoolingWindow) {
  NetworkBuilder net = small_network(20);
  net.add("conv", Conv{.filters = 8});
  net.add("pool", Pool{.window = 20, .stride = 20});
  net.add("head", Linear{.outputs = 3});
  expect_parity(make_problem(std::move(net).build(), 3, 7), 1e-5);
}

TEST(CpuParity, LossesOfAFewSteps) {
  Problem problem = make_problem(make_network("petal", 16, 5, normalisation), 6, 8);
  const auto cpu = compile(problem.network, "cpu", problem.options());
  const auto reference = compile(problem.network, "reference", problem.options());
  std::vector<float> cpu_parameters = problem.parameters, reference_parameters = problem.parameters;
  const auto step = [&](Executor& executor, std::vector<float>& parameters) {
    std::vector<float> gradients(parameters.size(), 0.0F);
    executor.set_parameters(parameters);
    const double loss = executor.forward_backward(problem.shard(), gradients, {}).loss;
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] -= 3e-2F * gradients[i];
    return loss;
  };
  double first = 0, last = 0;
  for (int i = 0; i < 12; ++i) {
    const double expected = step(*reference, reference_parameters);
    last = step(*cpu, cpu_parameters);
    EXPECT_NEAR(last, expected, 1e-3 * expected) << "step " << i;
    if (i == 0) first = last;
  }
  EXPECT_LT(last, 0.9 * first);
}

}  // namespace
}  // namespace whorl::nn
