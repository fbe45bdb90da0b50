// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <span>

#include "base/error.hpp"
#include "base/keyed_random.hpp"
#include "nn/network.hpp"

namespace whorl::nn {

namespace {

using Values = std::span<float>;

void fill_uniform(Values values, std::size_t fan_in, KeyedRandom& random) {
  const float bound = 1 / std::sqrt(static_cast<float>(fan_in));
  for (float& value : values) value = random.uniform(-bound, bound);
}

/// Filter i < input channels passes channel i through unchanged.
void set_identity_filters(Values values, int filters, int channels, int kernel) {
  const std::size_t filter_size = std::size_t(channels) * kernel * kernel;
  for (int filter = 0; filter < std::min(filters, channels); ++filter) {
    const Values weights = values.subspan(filter * filter_size, filter_size);
    std::fill(weights.begin(), weights.end(), 0.0F);
    weights[(std::size_t(filter) * kernel + kernel / 2) * kernel + kernel / 2] = 1;
  }
}

void divide_by_deviation(Values values) {
  double sum = 0, squares = 0;
  for (const float value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (const float value : values) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
  for (float& value : values) value = static_cast<float>(value / deviation);
}

/// `shape` is (outputs, inputs, K, K) of a convolution or (outputs, inputs) of a linear layer.
void initialise_weights(Init init, const std::vector<int>& shape, Values values, KeyedRandom& random) {
  const int kernel = shape.size() == 4 ? shape[2] : 1;
  const std::size_t fan_in = std::size_t(shape[1]) * kernel * kernel;
  const std::size_t fan_out = std::size_t(shape[0]) * kernel * kernel;
  switch (init) {
    case Init::fan_in_uniform:
      fill_uniform(values, fan_in, random);
      break;
    case Init::dirac:
      fill_uniform(values, fan_in, random);
      set_identity_filters(values, shape[0], shape[1], kernel);
      break;
    case Init::he_normal: {
      const float deviation = std::sqrt(2 / static_cast<float>(fan_out));
      for (float& value : values) value = deviation * random.normal();
      break;
    }
    case Init::unit_deviation:
      fill_uniform(values, fan_in, random);
      divide_by_deviation(values);
      break;
    case Init::whitening:
      break;  // zero until the training pictures are seen
  }
}

Init init_of(const Operation& operation) {
  return std::visit(
      Overloaded{[](const Conv& conv) { return conv.init; }, [](const Linear& linear) { return linear.init; },
                 [](const auto&) { return Init::fan_in_uniform; }},
      operation);
}

/// Inputs of one output of the convolution or linear layer.
std::size_t fan_in_of(const Network& network, int layer) {
  const Tensor* weight = network.parameters.find(layer, Role::conv_weight);
  if (weight == nullptr) weight = network.parameters.find(layer, Role::linear_weight);
  return weight->count / weight->shape.front();
}

void initialise_tensor(const Network& network, const Tensor& tensor, Values values, KeyedRandom& random) {
  const Operation& operation = network.layers[tensor.layer].operation;
  switch (tensor.role) {
    case Role::conv_weight:
    case Role::linear_weight:
      initialise_weights(init_of(operation), tensor.shape, values, random);
      break;
    case Role::bias:
      if (init_of(operation) != Init::whitening)
        fill_uniform(values, fan_in_of(network, tensor.layer), random);
      break;
    case Role::bn_scale:
      std::fill(values.begin(), values.end(), std::get<BatchNorm>(operation).initial_scale);
      break;
    case Role::running_variance:
      std::fill(values.begin(), values.end(), 1.0F);
      break;
    case Role::bn_shift:
    case Role::running_mean:
      break;
  }
}

}  // namespace

void initialise(const Network& network, std::uint64_t seed, std::span<float> arena) {
  require(arena.size() == network.parameters.size(),
          "network {}: an arena of {} floats, but its parameters take {}", network.name, arena.size(),
          network.parameters.size());
  std::fill(arena.begin(), arena.end(), 0.0F);
  for (const Tensor& tensor : network.parameters.tensors()) {
    // Layer and role, not the position in the arena, so that a longer network starts with the same front.
    const std::uint64_t key = std::uint64_t(tensor.layer) * 16 + static_cast<std::uint64_t>(tensor.role);
    KeyedRandom random(seed, RandomPurpose::initialisation, 0, key);
    initialise_tensor(network, tensor, arena.subspan(tensor.offset, tensor.count), random);
  }
}

}  // namespace whorl::nn
