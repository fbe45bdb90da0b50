// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "nn/network.hpp"

namespace whorl::nn {

namespace {

bool is_running_statistic(const Tensor& tensor) {
  return tensor.role == Role::running_mean || tensor.role == Role::running_variance;
}

std::size_t parameters_of(const Network& network, int layer) {
  std::size_t count = 0;
  for (const Tensor& tensor : network.parameters.tensors()) {
    if (tensor.layer == layer && !is_running_statistic(tensor)) count += tensor.count;
  }
  return count;
}

/// Every weight of a convolution meets every output position once.
double flops_of(const Network& network, int layer) {
  const Shape output = network.layers[layer].output;
  const double positions = double(output.height) * output.width;
  double flops = 0;
  for (const Role role : {Role::conv_weight, Role::linear_weight}) {
    const Tensor* weight = network.parameters.find(layer, role);
    if (weight != nullptr) flops += 2 * positions * static_cast<double>(weight->count);
  }
  return flops;
}

bool has_trained(const Network& network, int layer) {
  return std::ranges::any_of(network.parameters.tensors(), [&](const Tensor& tensor) {
    return tensor.layer == layer && !tensor.frozen && !is_running_statistic(tensor);
  });
}

bool has_trained_weight(const Network& network, int layer) {
  return std::ranges::any_of(std::array{Role::conv_weight, Role::linear_weight}, [&](Role role) {
    const Tensor* weight = network.parameters.find(layer, role);
    return weight != nullptr && !weight->frozen;
  });
}

std::string text(const Conv& conv) {
  return fmt::format("conv {0}x{0} stride {1} padding {2}{3}", conv.kernel, conv.stride, conv.padding,
                     conv.frozen ? ", frozen" : "");
}
std::string text(const BatchNorm& norm) {
  return norm.scale ? "batch-norm" : "batch-norm, shift only";
}
std::string text(const Activation& activation) {
  return activation.kind == Activation::relu ? "ReLU" : "GELU";
}
std::string text(const Pool& pool) {
  return fmt::format("{0} pool {1}x{1} stride {2} padding {3}", pool.kind == Pool::max ? "max" : "average",
                     pool.window, pool.stride, pool.padding);
}
std::string text(const Add&) {
  return "sum";
}
std::string text(const Linear&) {
  return "linear";
}
std::string text(const Scale& scale) {
  return fmt::format("times {:g}", scale.factor);
}

std::string source_name(const Network& network, int input) {
  return input == network_input ? "picture" : network.layers[input].name;
}

/// The inputs of a layer, where they are not just the layer before.
std::string sources(const Network& network, int layer) {
  const std::vector<int>& inputs = network.layers[layer].inputs;
  if (inputs.size() == 2)
    return fmt::format(" of {} and {}", source_name(network, inputs[0]), source_name(network, inputs[1]));
  if (inputs[0] != layer - 1) return fmt::format(" of {}", source_name(network, inputs[0]));
  return {};
}

}  // namespace

std::size_t parameter_count(const Network& network) {
  std::size_t count = 0;
  for (int layer = 0; layer < static_cast<int>(network.layers.size()); ++layer)
    count += parameters_of(network, layer);
  return count;
}

double forward_flops(const Network& network) {
  double flops = 0;
  for (int layer = 0; layer < static_cast<int>(network.layers.size()); ++layer)
    flops += flops_of(network, layer);
  return flops;
}

double training_flops(const Network& network) {
  std::vector<bool> trains;  // by layer: it, or one before it that it depends on, has something to train
  double flops = 0;
  for (int layer = 0; layer < static_cast<int>(network.layers.size()); ++layer) {
    const bool reads_trained = std::ranges::any_of(network.layers[layer].inputs, [&](int input) {
      return input != network_input && trains[static_cast<std::size_t>(input)];
    });
    const int passes = 1 + (reads_trained ? 1 : 0) + (has_trained_weight(network, layer) ? 1 : 0);
    flops += passes * flops_of(network, layer);
    trains.push_back(reads_trained || has_trained(network, layer));
  }
  return flops;
}

std::string describe(const Network& network) {
  std::string lines =
      fmt::format("network {}: picture {}x{}x{}, {} classes\n", network.name, network.input.channels,
                  network.input.height, network.input.width, network.classes());
  auto out = std::back_inserter(lines);
  for (int index = 0; index < static_cast<int>(network.layers.size()); ++index) {
    const Layer& layer = network.layers[index];
    const std::string kind =
        std::visit([](const auto& operation) { return text(operation); }, layer.operation);
    const std::string output =
        fmt::format("{}x{}x{}", layer.output.channels, layer.output.height, layer.output.width);
    fmt::format_to(out, "  {:<24} {:>12} {:>10} parameters {:>8.2f} MFLOP  {}{}\n", layer.name, output,
                   parameters_of(network, index), flops_of(network, index) * 1e-6, kind,
                   sources(network, index));
  }
  fmt::format_to(out, "  {} parameters, {:.1f} MFLOP a picture forward\n", parameter_count(network),
                 forward_flops(network) * 1e-6);
  return lines;
}

}  // namespace whorl::nn
