// SPDX-License-Identifier: BSD-3-Clause
#include "nn/reference/operations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/error.hpp"
#include "distinct_values.hpp"

namespace whorl::nn::reference {
namespace {

using ::testing::ElementsAre;

Maps maps_of(int samples, Shape shape, std::vector<double> values) {
  Maps maps(samples, shape);
  EXPECT_EQ(maps.values.size(), values.size());
  maps.values = std::move(values);
  return maps;
}

// ---- Known values ----

Maps one_to_nine() {
  return maps_of(1, {1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST(Conv, MatchesHandComputedValues) {
  Maps output(1, {1, 2, 2});
  conv_forward(Conv{.filters = 1, .kernel = 2, .padding = 0}, one_to_nine(), std::vector<double>{1, 2, 3, 4},
               std::vector<double>{100}, output);
  EXPECT_THAT(output.values, ElementsAre(137, 147, 167, 177));
}

TEST(Conv, MatchesHandComputedValuesWithStrideAndPadding) {
  Maps output(1, {1, 2, 2});
  conv_forward(Conv{.filters = 1, .kernel = 2, .stride = 2, .padding = 1}, one_to_nine(),
               std::vector<double>{1, 2, 3, 4}, {}, output);
  EXPECT_THAT(output.values, ElementsAre(4, 18, 36, 77));
}

TEST(Conv, OneByOneMixesChannels) {
  const Maps input = maps_of(1, {2, 1, 2}, {1, 2, 30, 40});
  Maps output(1, {3, 1, 2});
  conv_forward(Conv{.filters = 3, .kernel = 1, .padding = 0}, input, std::vector<double>{1, 0, 0, 1, 5, -1},
               {}, output);
  EXPECT_THAT(output.values, ElementsAre(1, 2, 30, 40, -25, -30));
}

TEST(BatchNorm, MatchesHandComputedValues) {
  const Maps input = maps_of(2, {1, 1, 1}, {1, 4});
  const ChannelStatistics statistics = channel_statistics(input);
  EXPECT_THAT(statistics.mean, ElementsAre(2.5));
  EXPECT_THAT(statistics.variance, ElementsAre(2.25));
  Maps output(2, {1, 1, 1});
  batch_norm_forward(BatchNorm{.epsilon = 1.75F}, input, statistics, std::vector<double>{2},
                     std::vector<double>{0.5}, output);
  EXPECT_THAT(output.values, ElementsAre(0.5 - 2 * 0.75, 0.5 + 2 * 0.75));
}

TEST(Activation, GeluAndReluMatchKnownValues) {
  const Maps input = maps_of(1, {4, 1, 1}, {-1, 0, 1, 2});
  Maps output(1, {4, 1, 1});
  activation_forward(Activation{Activation::gelu}, input, output);
  EXPECT_DOUBLE_EQ(output.values[0], -0.15865525393145707);
  EXPECT_EQ(output.values[1], 0);
  EXPECT_DOUBLE_EQ(output.values[2], 0.84134474606854293);
  EXPECT_DOUBLE_EQ(output.values[3], 1.9544997361036416);
  activation_forward(Activation{Activation::relu}, input, output);
  EXPECT_THAT(output.values, ElementsAre(0, 0, 1, 2));
}

TEST(Activation, ReluIsFlatAtZero) {
  const Maps input = maps_of(1, {3, 1, 1}, {-1, 0, 1});
  const Maps output_gradient = maps_of(1, {3, 1, 1}, {5, 6, 7});
  Maps input_gradient(1, {3, 1, 1});
  activation_backward(Activation{Activation::relu}, input, output_gradient, &input_gradient);
  EXPECT_THAT(input_gradient.values, ElementsAre(0, 0, 7));
}

TEST(Pool, MaximumNeverTakesPadding) {
  const Maps input = maps_of(1, {1, 2, 2}, {-1, -2, -3, -4});
  Maps output(1, {1, 2, 2});
  pool_forward(Pool{.window = 2, .stride = 2, .padding = 1}, input, output);
  EXPECT_THAT(output.values, ElementsAre(-1, -2, -3, -4));
}

TEST(Pool, FirstOfEqualMaximaGetsTheGradient) {
  const Maps input = maps_of(1, {1, 2, 2}, {1, 7, 7, 7});
  const Maps output_gradient = maps_of(1, {1, 1, 1}, {3});
  Maps input_gradient(1, {1, 2, 2});
  pool_backward(Pool{}, input, output_gradient, &input_gradient);
  EXPECT_THAT(input_gradient.values, ElementsAre(0, 3, 0, 0));
}

TEST(Pool, AverageMatchesHandComputedValues) {
  Maps output(1, {1, 2, 2});
  pool_forward(Pool{.kind = Pool::average, .window = 2, .stride = 1}, one_to_nine(), output);
  EXPECT_THAT(output.values, ElementsAre(3, 4, 6, 7));
}

TEST(Pool, CellsBehindTheLastWholeWindowAreDropped) {
  Maps output(1, {1, 1, 1});
  pool_forward(Pool{}, one_to_nine(), output);
  EXPECT_THAT(output.values, ElementsAre(5));
}

TEST(Linear, MatchesHandComputedValues) {
  const Maps input = maps_of(2, {2, 1, 1}, {1, 2, 3, 4});
  Maps output(2, {2, 1, 1});
  linear_forward(input, std::vector<double>{10, 20, -1, 1}, std::vector<double>{0.5, 0.25}, output);
  EXPECT_THAT(output.values, ElementsAre(50.5, 1.25, 110.5, 1.25));
}

TEST(SoftmaxCrossEntropy, MatchesHandComputedValues) {
  // Probabilities 1/8, 2/8, 5/8, then 1/3 each.
  const Maps logits = maps_of(2, {3, 1, 1}, {std::log(1), std::log(2), std::log(5), 4, 4, 4});
  Maps gradient(2, {3, 1, 1});
  const ShardResult result = softmax_cross_entropy(logits, std::vector<std::int32_t>{2, 1}, 0.3, gradient);
  const double first = -(0.1 * std::log(1 / 8.) + 0.1 * std::log(2 / 8.) + 0.8 * std::log(5 / 8.));
  EXPECT_DOUBLE_EQ(result.loss, first + std::log(3));
  EXPECT_EQ(result.correct, 1);  // of the equal logits the first counts, which is not the label
  const std::vector<double> expected{1 / 8. - 0.1, 2 / 8. - 0.1, 5 / 8. - 0.8,
                                     1 / 3. - 0.1, 1 / 3. - 0.8, 1 / 3. - 0.1};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(gradient.values[i], expected[i], 1e-15) << i;
}

TEST(SoftmaxCrossEntropy, LargeLogitsDoNotOverflow) {
  const Maps logits = maps_of(1, {2, 1, 1}, {5000, 4000});
  Maps gradient(1, {2, 1, 1});
  EXPECT_EQ(softmax_cross_entropy(logits, std::vector<std::int32_t>{1}, 0, gradient).loss, 1000);
}

TEST(SoftmaxCrossEntropy, RefusesLabelsWithoutAClass) {
  const Maps logits(1, {2, 1, 1});
  Maps gradient(1, {2, 1, 1});
  EXPECT_THROW(softmax_cross_entropy(logits, std::vector<std::int32_t>{2}, 0, gradient), Error);
  EXPECT_THROW(softmax_cross_entropy(logits, std::vector<std::int32_t>{-1}, 0, gradient), Error);
}

// ---- Backward against central finite differences ----

/// A layer as a function of its input and its parameters, one after the other in a vector.
struct LayerUnderTest {
  Maps input;
  std::size_t parameters = 0;
  Shape output;
  std::function<void(const Maps& input, ConstValues parameters, Maps& output)> forward;
  std::function<void(const Maps& input, ConstValues parameters, const Maps& output_gradient,
                     Maps* input_gradient, Values parameter_gradient)>
      backward;
};

Maps distinct_maps(int samples, Shape shape, std::uint64_t stream) {
  return maps_of(samples, shape, distinct_values(samples * shape.count(), stream));
}

/// Gradients of sum(output * weighting) by every input and parameter. What backward adds is compared, on top
/// of a value already there.
void expect_gradients_match(LayerUnderTest layer) {
  constexpr double step = 1e-5, tolerance = 1e-8, already_there = 0.25;
  std::vector<double> parameters = distinct_values(layer.parameters, 2, 0.07);
  const Maps weighting = distinct_maps(layer.input.samples, layer.output, 3);
  Maps output(layer.input.samples, layer.output);

  Maps input_gradient(layer.input.samples, layer.input.shape);
  std::fill(input_gradient.values.begin(), input_gradient.values.end(), already_there);
  std::vector<double> parameter_gradient(layer.parameters, already_there);
  layer.backward(layer.input, parameters, weighting, &input_gradient, parameter_gradient);

  const auto objective = [&] {
    layer.forward(layer.input, parameters, output);
    double sum = 0;
    for (std::size_t i = 0; i < output.values.size(); ++i) sum += output.values[i] * weighting.values[i];
    return sum;
  };
  const auto expect_slopes = [&](std::vector<double>& variables, const std::vector<double>& gradient,
                                 const char* what) {
    for (std::size_t i = 0; i < variables.size(); ++i) {
      const double value = variables[i];
      variables[i] = value + step;
      const double above = objective();
      variables[i] = value - step;
      const double below = objective();
      variables[i] = value;
      const double slope = (above - below) / (2 * step);
      EXPECT_NEAR(gradient[i] - already_there, slope, tolerance * (1 + std::abs(slope))) << what << " " << i;
    }
  };
  expect_slopes(layer.input.values, input_gradient.values, "input");
  expect_slopes(parameters, parameter_gradient, "parameter");

  std::vector<double> again(layer.parameters, already_there);
  layer.backward(layer.input, parameters, weighting, nullptr, again);
  EXPECT_EQ(again, parameter_gradient) << "without the input's gradient";
}

LayerUnderTest conv_layer(const Conv& conv, Shape input, Shape output) {
  const std::size_t weights = std::size_t(conv.filters) * input.channels * conv.kernel * conv.kernel;
  return {distinct_maps(2, input, 1), weights + (conv.bias ? conv.filters : 0), output,
          [=](const Maps& in, ConstValues p, Maps& out) {
            conv_forward(conv, in, p.first(weights), p.subspan(weights), out);
          },
          [=](const Maps& in, ConstValues p, const Maps& out_gradient, Maps* in_gradient, Values gradient) {
            conv_backward(conv, in, p.first(weights), out_gradient, in_gradient, gradient.first(weights),
                          gradient.subspan(weights));
          }};
}

TEST(Gradient, ConvSameSize) {
  expect_gradients_match(conv_layer({.filters = 3, .kernel = 3, .padding = 1}, {2, 5, 4}, {3, 5, 4}));
}
TEST(Gradient, ConvWithBiasAndStride) {
  expect_gradients_match(
      conv_layer({.filters = 2, .kernel = 3, .stride = 2, .padding = 1, .bias = true}, {3, 6, 5}, {2, 3, 3}));
}
TEST(Gradient, ConvWithWidePadding) {
  expect_gradients_match(
      conv_layer({.filters = 2, .kernel = 7, .stride = 2, .padding = 3}, {1, 3, 4}, {2, 2, 2}));
}
TEST(Gradient, ConvValidEvenKernel) {
  expect_gradients_match(
      conv_layer({.filters = 4, .kernel = 2, .padding = 0, .bias = true}, {3, 4, 4}, {4, 3, 3}));
}
TEST(Gradient, ConvOneByOneWithStride) {
  expect_gradients_match(
      conv_layer({.filters = 3, .kernel = 1, .stride = 2, .padding = 0}, {2, 5, 4}, {3, 3, 2}));
}

LayerUnderTest batch_norm_layer(const BatchNorm& norm, Shape shape) {
  const std::size_t scales = norm.scale ? shape.channels : 0;
  return {distinct_maps(3, shape, 1), scales + shape.channels, shape,
          [=](const Maps& in, ConstValues p, Maps& out) {
            batch_norm_forward(norm, in, channel_statistics(in), p.first(scales), p.subspan(scales), out);
          },
          [=](const Maps& in, ConstValues p, const Maps& out_gradient, Maps* in_gradient, Values gradient) {
            batch_norm_backward(norm, in, channel_statistics(in), p.first(scales), out_gradient, in_gradient,
                                gradient.first(scales), gradient.subspan(scales));
          }};
}

TEST(Gradient, BatchNormWithScale) {
  expect_gradients_match(batch_norm_layer({.epsilon = 0.125F}, {2, 3, 2}));
}
TEST(Gradient, BatchNormWithShiftOnly) {
  expect_gradients_match(batch_norm_layer({.epsilon = 1e-12F, .scale = false}, {3, 2, 2}));
}

template <typename Forward, typename Backward>
LayerUnderTest layer_without_parameters(Shape input, Shape output, Forward forward, Backward backward) {
  return {distinct_maps(2, input, 1), 0, output,
          [=](const Maps& in, ConstValues, Maps& out) { forward(in, out); },
          [=](const Maps& in, ConstValues, const Maps& out_gradient, Maps* in_gradient, Values) {
            backward(in, out_gradient, in_gradient);
          }};
}

LayerUnderTest activation_layer(Activation::Kind kind) {
  return layer_without_parameters(
      {3, 4, 5}, {3, 4, 5}, [=](const Maps& in, Maps& out) { activation_forward({kind}, in, out); },
      [=](const Maps& in, const Maps& out_gradient, Maps* in_gradient) {
        activation_backward({kind}, in, out_gradient, in_gradient);
      });
}

TEST(Gradient, Relu) {
  expect_gradients_match(activation_layer(Activation::relu));
}
TEST(Gradient, Gelu) {
  expect_gradients_match(activation_layer(Activation::gelu));
}

LayerUnderTest pool_layer(const Pool& pool, Shape input, Shape output) {
  return layer_without_parameters(
      input, output, [=](const Maps& in, Maps& out) { pool_forward(pool, in, out); },
      [=](const Maps& in, const Maps& out_gradient, Maps* in_gradient) {
        pool_backward(pool, in, out_gradient, in_gradient);
      });
}

TEST(Gradient, MaxPool) {
  expect_gradients_match(pool_layer({}, {2, 5, 4}, {2, 2, 2}));
}
TEST(Gradient, MaxPoolOverlappingWithPadding) {
  expect_gradients_match(pool_layer({.window = 3, .stride = 2, .padding = 1}, {2, 5, 6}, {2, 3, 3}));
}
TEST(Gradient, AveragePool) {
  expect_gradients_match(pool_layer({.kind = Pool::average, .window = 3, .stride = 2}, {2, 7, 5}, {2, 3, 2}));
}

TEST(Gradient, Scale) {
  expect_gradients_match(layer_without_parameters(
      {2, 2, 3}, {2, 2, 3}, [](const Maps& in, Maps& out) { scale_forward({0.375F}, in, out); },
      [](const Maps&, const Maps& out_gradient, Maps* in_gradient) {
        scale_backward({0.375F}, out_gradient, in_gradient);
      }));
}

TEST(Gradient, SumGoesToBothInputs) {
  const Maps output_gradient = maps_of(1, {2, 1, 1}, {3, 5});
  Maps left = maps_of(1, {2, 1, 1}, {10, 20}), right = maps_of(1, {2, 1, 1}, {100, 200});
  add_backward(output_gradient, &left, &right);
  EXPECT_THAT(left.values, ElementsAre(13, 25));
  EXPECT_THAT(right.values, ElementsAre(103, 205));
  add_backward(output_gradient, &left, &left);  // a layer added to itself
  EXPECT_THAT(left.values, ElementsAre(19, 35));
}

TEST(Gradient, Linear) {
  constexpr std::size_t weights = 4 * 12;
  expect_gradients_match(
      {distinct_maps(3, {3, 2, 2}, 1),
       weights + 4,
       {4, 1, 1},
       [](const Maps& in, ConstValues p, Maps& out) {
         linear_forward(in, p.first(weights), p.subspan(weights), out);
       },
       [](const Maps& in, ConstValues p, const Maps& out_gradient, Maps* in_gradient, Values gradient) {
         linear_backward(in, p.first(weights), out_gradient, in_gradient, gradient.first(weights),
                         gradient.subspan(weights));
       }});
}

TEST(Gradient, SoftmaxCrossEntropyWithSmoothing) {
  Maps logits = distinct_maps(3, {4, 1, 1}, 5);
  const std::vector<std::int32_t> labels{2, 0, 3};
  Maps gradient(3, {4, 1, 1}), ignored(3, {4, 1, 1});
  softmax_cross_entropy(logits, labels, 0.2, gradient);
  for (std::size_t i = 0; i < logits.values.size(); ++i) {
    const double value = logits.values[i], step = 1e-5;
    logits.values[i] = value + step;
    const double above = softmax_cross_entropy(logits, labels, 0.2, ignored).loss;
    logits.values[i] = value - step;
    const double below = softmax_cross_entropy(logits, labels, 0.2, ignored).loss;
    logits.values[i] = value;
    EXPECT_NEAR(gradient.values[i], (above - below) / (2 * step), 1e-9) << i;
  }
}

}  // namespace
}  // namespace whorl::nn::reference
