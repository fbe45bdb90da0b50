// SPDX-License-Identifier: BSD-3-Clause
/// The gpu backend against the reference, which computes in double precision: losses, logits and every
/// tensor's gradient. On a GPU or, elsewhere, emulated.
#include "nn_gpu/gpu_problem.hpp"

namespace whorl::nn {
namespace {

class GpuParity : public GpuTest {};

void expect_parity(const Problem& problem, double tolerance, Precision precision = Precision::float32) {
  const Outcome expected = run(problem, "reference", problem.options());
  CompileOptions options = problem.options();
  options.precision = precision;
  expect_same_outcome(problem, run(problem, "gpu", options), expected, tolerance);
}

NetworkBuilder small_network(int size) {
  return NetworkBuilder("small", {3, size, size}, normalisation);
}

TEST_F(GpuParity, Petal) {
  expect_parity(make_problem(make_network("petal", 32, 10, normalisation), 3, 1), 2e-5);
}

TEST_F(GpuParity, Air94) {
  expect_parity(make_problem(make_network("air94", 32, 10, normalisation), 2, 1), 2e-5);
}

TEST_F(GpuParity, Resnet18) {
  expect_parity(make_problem(make_network("resnet18", 32, 7, normalisation), 4, 1, 1e-5), 1e-4);
}

TEST_F(GpuParity, StridesBiasOverlappingPoolAndSpatialHead) {
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
TEST_F(GpuParity, AllPartsOfAGroup) {
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

TEST_F(GpuParity, ALayerWithFourReaders) {
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

TEST_F(GpuParity, PicturesReadByOtherThanConvolutions) {
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

TEST_F(GpuParity, LogitsWithoutALinearLayer) {
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

TEST_F(GpuParity, EveryPrecision) {
  const Problem problem = make_problem(smooth_network(), 6, 9);
  expect_parity(problem, 1e-5, Precision::float32);
  expect_parity(problem, 4e-3, Precision::tf32);
  expect_parity(problem, 4e-3, Precision::float16);
  expect_parity(problem, 3e-2, Precision::bfloat16);
}

/// By plain gradient descent on one shard.
std::vector<double> losses(const Problem& problem, const std::string& backend,
                           const CompileOptions& options) {
  const auto executor = compile(problem.network, backend, options);
  std::vector<float> parameters = problem.parameters;
  std::vector<double> losses;
  for (int step = 0; step < 50; ++step) {
    std::vector<float> gradients(parameters.size(), 0.0F);
    executor->set_parameters(parameters);
    losses.push_back(executor->forward_backward(problem.shard(), gradients, {}).loss);
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] -= 1e-2F * gradients[i];
  }
  return losses;
}

TEST_F(GpuParity, LossesOfFiftySteps) {
  const Problem problem = make_problem(smooth_network(), 6, 9);
  CompileOptions options = problem.options();
  const std::vector<double> expected = losses(problem, "reference", options);
  EXPECT_LT(expected.back(), 0.7 * expected.front());
  for (const auto& [precision, tolerance] :
       {std::pair{Precision::float32, 1e-4}, {Precision::float16, 1e-2}, {Precision::bfloat16, 5e-2}}) {
    SCOPED_TRACE(to_string(precision));
    options.precision = precision;
    const std::vector<double> got = losses(problem, "gpu", options);
    for (std::size_t step = 0; step < expected.size(); ++step)
      EXPECT_NEAR(got[step], expected[step], tolerance * expected[step]) << "step " << step;
  }
}

}  // namespace
}  // namespace whorl::nn
