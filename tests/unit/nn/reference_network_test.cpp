// SPDX-License-Identifier: BSD-3-Clause
#include "nn/reference/reference_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "distinct_values.hpp"

namespace whorl::nn::reference {
namespace {

/// Every layer kind, a residual sum, a layer with three consumers and a frozen convolution.
Network residual_network() {
  NetworkBuilder builder("residual", {3, 7, 6}, {});
  builder.add("front", Conv{.filters = 4, .kernel = 2, .padding = 0, .bias = true, .frozen = true});
  const int entry = builder.add("gelu", Activation{Activation::gelu});
  builder.add("conv1", Conv{.filters = 4}, entry);
  builder.add("norm1", BatchNorm{});
  builder.add("relu", Activation{});
  const int branch = builder.add("conv2", Conv{.filters = 4, .bias = true});
  builder.add_sum("sum", branch, entry);
  const int pooled = builder.add("pool", Pool{.window = 3, .stride = 2, .padding = 1});
  const int projection =
      builder.add("projection", Conv{.filters = 4, .kernel = 1, .stride = 2, .padding = 0}, entry);
  builder.add_sum("sum2", pooled, projection);
  builder.add("norm2", BatchNorm{.scale = false});
  builder.add("average", Pool{.kind = Pool::average, .window = 3, .stride = 3});
  builder.add("head", Linear{.outputs = 5});
  builder.add("logits", Scale{0.75F});
  return std::move(builder).build();
}

constexpr int samples = 3;

class ReferenceNetworkTest : public ::testing::Test {
 protected:
  ReferenceNetworkTest() : net_(residual_network()), pictures_(samples, net_.network().input) {
    pictures_.values = distinct_values(pictures_.values.size(), 1, 0.01);
    const auto values = distinct_values(net_.network().parameters.size(), 2, 0.002);
    for (const Tensor& tensor : layout().tensors()) {
      for (std::size_t i = tensor.offset; i < tensor.offset + tensor.count; ++i)
        net_.parameters()[i] = values[i];
    }
  }

  const ParameterLayout& layout() const { return net_.network().parameters; }

  double loss() {
    const Maps& logits = net_.forward(pictures_, true);
    Maps ignored(samples, logits.shape);
    return softmax_cross_entropy(logits, labels_, 0.1, ignored).loss;
  }

  std::vector<double> gradients() {
    std::vector<double> sum(layout().size(), 0.0);
    const Maps& logits = net_.forward(pictures_, true);
    Maps logits_gradient(samples, logits.shape);
    softmax_cross_entropy(logits, labels_, 0.1, logits_gradient);
    net_.backward(logits_gradient, sum, [&](int layer) { layers_done_.push_back(layer); });
    return sum;
  }

  ReferenceNetwork net_;
  Maps pictures_;
  std::vector<std::int32_t> labels_{4, 0, 2};
  std::vector<int> layers_done_;
};

TEST_F(ReferenceNetworkTest, GradientsMatchFiniteDifferences) {
  const std::vector<double> gradient = gradients();
  constexpr double step = 1e-5;
  int checked = 0;
  for (const Tensor& tensor : layout().tensors()) {
    if (tensor.frozen || tensor.role == Role::running_mean || tensor.role == Role::running_variance) continue;
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.count; ++i) {
      double& parameter = net_.parameters()[i];
      const double value = parameter;
      parameter = value + step;
      const double above = loss();
      parameter = value - step;
      const double below = loss();
      parameter = value;
      const double slope = (above - below) / (2 * step);
      EXPECT_NEAR(gradient[i], slope, 1e-7 * (1 + std::abs(slope)))
          << tensor.name << " " << i - tensor.offset;
      ++checked;
    }
  }
  // front.bias, conv1, norm1 (2), conv2 + bias, projection, norm2.shift, head + bias
  EXPECT_EQ(checked, 4 + 144 + 8 + 148 + 16 + 4 + 25);
}

TEST_F(ReferenceNetworkTest, FrozenTensorsAndGapsGetNoGradient) {
  std::vector<double> gradient = gradients();
  const Tensor& frozen = *layout().find(0, Role::conv_weight);
  for (std::size_t i = 0; i < frozen.count; ++i) EXPECT_EQ(gradient[frozen.offset + i], 0);
  for (const Tensor& tensor : layout().tensors())
    std::fill_n(gradient.begin() + tensor.offset, tensor.count, 0.0);
  EXPECT_THAT(gradient, ::testing::Each(0.0));
}

TEST_F(ReferenceNetworkTest, BackwardGoesFromTheLastLayerToTheFirst) {
  gradients();
  EXPECT_THAT(layers_done_, ::testing::ElementsAre(13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
}

TEST_F(ReferenceNetworkTest, RunningStatisticsSlotsHoldMeanAndUnbiasedVariance) {
  // The first batch-norm of a network that starts with it: its statistics are those of the pictures.
  NetworkBuilder builder("statistics", {3, 1, 2}, {});
  builder.add("norm", BatchNorm{});
  builder.add("head", Linear{.outputs = 2});
  ReferenceNetwork net(std::move(builder).build());
  Maps pictures(2, {3, 1, 2});
  pictures.values = {1, 2, 10, 20, 7, 7, 3, 6, 30, 60, 7, 7};
  const Maps& logits = net.forward(pictures, true);
  std::vector<double> gradient(net.network().parameters.size(), 0.5);
  net.backward(Maps(2, logits.shape), gradient, [](int) {});
  const double* mean = gradient.data() + net.network().parameters.find(0, Role::running_mean)->offset;
  const double* variance = gradient.data() + net.network().parameters.find(0, Role::running_variance)->offset;
  EXPECT_THAT(std::vector<double>(mean, mean + 3), ::testing::ElementsAre(3.5, 30.5, 7.5));
  const double first = (4 + 1 + 0 + 9) / 3.0;  // around 3, divided by 4 - 1
  EXPECT_DOUBLE_EQ(variance[0], 0.5 + first);
  EXPECT_DOUBLE_EQ(variance[1], 0.5 + 100 * first);
  EXPECT_DOUBLE_EQ(variance[2], 0.5);
}

TEST_F(ReferenceNetworkTest, InferenceUsesRunningStatistics) {
  NetworkBuilder builder("inference", {3, 1, 1}, {});
  builder.add("norm", BatchNorm{.epsilon = 0.25F});
  builder.add("logits", Scale{2});
  ReferenceNetwork net(std::move(builder).build());
  const auto set = [&](Role role, std::vector<double> values) {
    std::copy(values.begin(), values.end(),
              net.parameters().begin() + net.network().parameters.find(0, role)->offset);
  };
  set(Role::bn_scale, {1, 2, 3});
  set(Role::bn_shift, {0, 0.5, 1});
  set(Role::running_mean, {10, 20, 30});
  set(Role::running_variance, {0.75, 3.75, 15.75});
  Maps pictures(1, {3, 1, 1});
  pictures.values = {11, 26, 22};
  EXPECT_THAT(net.forward(pictures, false).values, ::testing::ElementsAre(2, 13, -10));
}

}  // namespace
}  // namespace whorl::nn::reference
