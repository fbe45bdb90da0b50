// SPDX-License-Identifier: BSD-3-Clause
#include "problem.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <variant>

#include "base/keyed_random.hpp"
#include "nn/reference/reference_network.hpp"

namespace whorl::nn {

namespace {

using reference::Maps;

std::vector<float> random_parameters(const Network& network, std::uint64_t seed) {
  std::vector<float> parameters(network.parameters.size(), 0.0F);
  initialise(network, seed, parameters);
  for (const Tensor& tensor : network.parameters.tensors()) {
    KeyedRandom random(seed, RandomPurpose::test, 1, tensor.offset);
    const bool is_set = (tensor.role == Role::conv_weight || tensor.role == Role::linear_weight) &&
                        parameters[tensor.offset] != 0;
    if (is_set) continue;
    const float centre = tensor.role == Role::running_variance || tensor.role == Role::bn_scale ? 1.0F : 0.0F;
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.count; ++i)
      parameters[i] = centre + random.uniform(-0.3F, 0.3F);
  }
  return parameters;
}

Maps normalised(const Problem& problem) {
  const Network& network = problem.network;
  Maps maps(problem.shard_size, network.input);
  std::size_t i = 0;
  for (int n = 0; n < problem.shard_size; ++n)
    for (std::size_t pixel = 0; pixel < maps.plane_size(); ++pixel)
      for (int c = 0; c < network.input.channels; ++c, ++i)
        maps.plane(n, c)[pixel] =
            (problem.images[i] / 255.0 - network.normalisation.mean[c]) / network.normalisation.deviation[c];
  return maps;
}

/// The input of `layer` in a training pass.
Maps input_of(const Problem& problem, int layer) {
  const int input = problem.network.layers[layer].inputs[0];
  Maps pictures = normalised(problem);
  if (input == network_input) return pictures;
  Network front = problem.network;
  front.layers.resize(input + 1);
  reference::ReferenceNetwork net(front);
  std::copy(problem.parameters.begin(), problem.parameters.end(), net.parameters().begin());
  return net.forward(std::move(pictures), true);
}

double deviation(const Maps& maps) {
  double sum = 0, squares = 0;
  for (double value : maps.values) sum += value, squares += value * value;
  const double mean = sum / static_cast<double>(maps.values.size());
  return std::sqrt(squares / static_cast<double>(maps.values.size()) - mean * mean);
}

double gap_of_window(const Pool& pool, const Shape& shape, const double* plane, int out_y, int out_x) {
  double first = -std::numeric_limits<double>::infinity(), second = first;
  for (int cell = 0; cell < pool.window * pool.window; ++cell) {
    const int y = out_y * pool.stride - pool.padding + cell / pool.window;
    const int x = out_x * pool.stride - pool.padding + cell % pool.window;
    if (y < 0 || x < 0 || y >= shape.height || x >= shape.width) continue;
    const double value = plane[y * shape.width + x];
    second = std::max(second, std::min(first, value));
    first = std::max(first, value);
  }
  // No gradient passes through a window of zeros behind a ReLU.
  return first == 0 && second == 0 ? std::numeric_limits<double>::infinity() : first - second;
}

double smallest_gap(const Pool& pool, const Shape& output, const Maps& input) {
  double gap = std::numeric_limits<double>::infinity();
  for (int n = 0; n < input.samples; ++n)
    for (int c = 0; c < output.channels; ++c)
      for (int pixel = 0; pixel < output.height * output.width; ++pixel)
        gap = std::min(gap, gap_of_window(pool, input.shape, input.plane(n, c), pixel / output.width,
                                          pixel % output.width));
  return gap;
}

bool branches_are_clear(const Problem& problem, double gap) {
  const std::vector<Layer>& layers = problem.network.layers;
  for (int layer = 0; layer < std::ssize(layers); ++layer) {
    const auto* pool = std::get_if<Pool>(&layers[layer].operation);
    const auto* activation = std::get_if<Activation>(&layers[layer].operation);
    double smallest = std::numeric_limits<double>::infinity();
    if (pool != nullptr && pool->kind == Pool::max) {
      const Maps input = input_of(problem, layer);
      smallest = smallest_gap(*pool, layers[layer].output, input) / deviation(input);
    } else if (activation != nullptr && activation->kind == Activation::relu) {
      const Maps input = input_of(problem, layer);
      for (double value : input.values) smallest = std::min(smallest, std::abs(value));
      smallest /= deviation(input);
    }
    if (smallest < gap) return false;
  }
  return true;
}

double relative_distance(std::span<const float> got, std::span<const float> expected) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    difference += std::pow(static_cast<double>(got[i]) - expected[i], 2);
    norm += std::pow(static_cast<double>(expected[i]), 2);
  }
  return norm == 0 && difference == 0 ? 0 : std::sqrt(difference / norm);
}

}  // namespace

Problem make_problem(const Network& network, int shard_size, std::uint64_t seed, double gap) {
  Problem problem{
      .network = network, .shard_size = shard_size, .parameters = random_parameters(network, seed)};
  problem.images.resize(shard_size * network.input.count());
  problem.labels.resize(shard_size);
  constexpr int attempts = 60;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    KeyedRandom random(seed, RandomPurpose::test, 2, attempt);
    for (auto& value : problem.images) value = static_cast<std::uint8_t>(random.below(256));
    for (auto& label : problem.labels) label = static_cast<std::int32_t>(random.below(network.classes()));
    if (branches_are_clear(problem, gap)) return problem;
  }
  ADD_FAILURE() << "no pictures without near ties in " << attempts << " attempts";
  return problem;
}

Outcome run(const Problem& problem, const std::string& backend, const CompileOptions& options) {
  const auto executor = compile(problem.network, backend, options);
  executor->set_parameters(problem.parameters);
  Outcome outcome;
  outcome.gradients.assign(problem.parameters.size(), 0.0F);
  outcome.result = executor->forward_backward(problem.shard(), outcome.gradients, {});
  outcome.logits.resize(std::size_t(problem.shard_size) * problem.network.classes());
  executor->infer(problem.images, outcome.logits);
  return outcome;
}

void expect_same_outcome(const Problem& problem, const Outcome& got, const Outcome& expected,
                         double tolerance) {
  EXPECT_NEAR(got.result.loss, expected.result.loss, tolerance * expected.result.loss);
  EXPECT_EQ(got.result.correct, expected.result.correct);
  EXPECT_LE(relative_distance(got.logits, expected.logits), tolerance) << "logits";
  for (const Tensor& tensor : problem.network.parameters.tensors()) {
    const double distance =
        relative_distance(std::span(got.gradients).subspan(tensor.offset, tensor.count),
                          std::span(expected.gradients).subspan(tensor.offset, tensor.count));
    EXPECT_LE(distance, tolerance) << tensor.name;
  }
}

}  // namespace whorl::nn
