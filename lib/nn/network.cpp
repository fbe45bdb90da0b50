// SPDX-License-Identifier: BSD-3-Clause
#include "nn/network.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace whorl::nn {

namespace {

std::string text(Shape shape) {
  return fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width);
}

/// The output length of a sliding window; throws when it does not fit at all.
int windows(const std::string& name, int length, int window, int stride, int padding) {
  require(window > 0 && stride > 0 && padding >= 0,
          "layer {}: window {}, stride {} and padding {} must be positive (padding may be 0)", name, window,
          stride, padding);
  require(length + 2 * padding >= window, "layer {}: a window of {} does not fit into {} cells padded by {}",
          name, window, length, padding);
  return (length + 2 * padding - window) / stride + 1;
}

Shape output_of(const std::string& name, const Conv& conv, Shape input) {
  require(conv.filters > 0, "layer {}: {} filters", name, conv.filters);
  return {conv.filters, windows(name, input.height, conv.kernel, conv.stride, conv.padding),
          windows(name, input.width, conv.kernel, conv.stride, conv.padding)};
}

Shape output_of(const std::string& name, const Pool& pool, Shape input) {
  require(pool.kind == Pool::max || pool.padding == 0, "layer {}: average pooling takes no padding", name);
  require(2 * pool.padding <= pool.window,
          "layer {}: padding {} is more than half the window {}: a window could be all padding", name,
          pool.padding, pool.window);
  return {input.channels, windows(name, input.height, pool.window, pool.stride, pool.padding),
          windows(name, input.width, pool.window, pool.stride, pool.padding)};
}

Shape output_of(const std::string& name, const Linear& linear, Shape) {
  require(linear.outputs > 0, "layer {}: {} outputs", name, linear.outputs);
  return {linear.outputs, 1, 1};
}

Shape output_of(const std::string& name, const BatchNorm& norm, Shape input) {
  require(norm.epsilon > 0, "layer {}: epsilon {} must be positive", name, norm.epsilon);
  require(norm.momentum > 0 && norm.momentum <= 1, "layer {}: momentum {} is not in (0, 1]", name,
          norm.momentum);
  return input;
}

Shape output_of(const std::string& name, const Add&, Shape) {
  throw Error("layer {}: a sum has two inputs: use add_sum", name);
}

template <typename SameShape>
Shape output_of(const std::string&, const SameShape&, Shape input) {
  return input;
}

}  // namespace

NetworkBuilder::NetworkBuilder(std::string name, Shape input, Normalisation normalisation) {
  require(input.channels == 3 && input.height > 0 && input.width > 0,
          "network {}: its input must be an RGB picture, not {}", name, text(input));
  for (const float deviation : normalisation.deviation) {
    require(deviation > 0, "network {}: a channel's deviation is {}, but pictures are divided by it", name,
            deviation);
  }
  network_.name = std::move(name);
  network_.input = input;
  network_.normalisation = normalisation;
}

int NetworkBuilder::resolve(int layer) const {
  const int count = static_cast<int>(network_.layers.size());
  if (layer == previous) return count - 1;  // of no layers: network_input
  require(layer >= network_input && layer < count, "network {}: there is no layer {} yet, only {}",
          network_.name, layer, count);
  return layer;
}

Shape NetworkBuilder::shape_of(int layer) const {
  const int index = resolve(layer);
  return index == network_input ? network_.input : network_.layers[index].output;
}

int NetworkBuilder::append(std::string name, Operation operation, std::vector<int> inputs, Shape output) {
  for (const Layer& layer : network_.layers) {
    require(layer.name != name, "network {}: two layers are called {}", network_.name, name);
  }
  network_.layers.push_back({std::move(name), operation, std::move(inputs), output});
  return static_cast<int>(network_.layers.size()) - 1;
}

int NetworkBuilder::add(std::string name, Operation operation, int input) {
  const int source = resolve(input);
  const Shape output =
      std::visit([&](const auto& kind) { return output_of(name, kind, shape_of(source)); }, operation);
  return append(std::move(name), operation, {source}, output);
}

int NetworkBuilder::add_sum(std::string name, int left, int right) {
  const Shape shape = shape_of(left);
  require(shape == shape_of(right), "layer {}: cannot add {} and {}", name, text(shape),
          text(shape_of(right)));
  return append(std::move(name), Add{}, {resolve(left), resolve(right)}, shape);
}

Network NetworkBuilder::build() && {
  require(!network_.layers.empty(), "network {}: it has no layers", network_.name);
  const Layer& last = network_.layers.back();
  require(last.output.height == 1 && last.output.width == 1,
          "network {}: its last layer {} gives {}, but logits are a vector", network_.name, last.name,
          text(last.output));
  std::vector<bool> used(network_.layers.size(), false);
  for (const Layer& layer : network_.layers) {
    for (const int input : layer.inputs) {
      if (input != network_input) used[input] = true;
    }
  }
  for (std::size_t index = 0; index + 1 < network_.layers.size(); ++index) {
    require(used[index], "network {}: nothing uses layer {}", network_.name, network_.layers[index].name);
  }
  network_.parameters = ParameterLayout(network_.layers, network_.input);
  return std::move(network_);
}

}  // namespace whorl::nn
