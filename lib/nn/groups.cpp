// SPDX-License-Identifier: BSD-3-Clause
#include "nn/groups.hpp"

#include <algorithm>
#include <variant>

#include "base/error.hpp"

namespace whorl::nn {

namespace {

template <typename T>
const T* as(const Network& network, int layer) {
  return std::get_if<T>(&network.layers[layer].operation);
}

/// The place of a layer in a pointwise group, 0 to 3; -1 for layers that are never part of one.
int pointwise_rank(const Network& network, int layer) {
  if (const auto* pool = as<Pool>(network, layer)) return pool->kind == Pool::max ? 0 : -1;
  if (as<BatchNorm>(network, layer) || as<Scale>(network, layer)) return 1;
  if (as<Add>(network, layer)) return 2;
  return as<Activation>(network, layer) ? 3 : -1;
}

class Grouping {
 public:
  explicit Grouping(const Network& network)
      : network_(network), consumers_(network.layers.size()), taken_(network.layers.size(), false) {
    for (int layer = 0; layer < std::ssize(network.layers); ++layer)
      for (int input : network.layers[layer].inputs)
        if (input != network_input) consumers_[input].push_back(layer);
    for (int layer = 0; layer + 1 < std::ssize(network.layers); ++layer)
      require(!consumers_[layer].empty(), "network {}: nothing uses the output of layer {}", network.name,
              network.layers[layer].name);
  }

  std::vector<LayerGroup> groups() {
    std::vector<LayerGroup> groups;
    for (int layer = 0; layer < std::ssize(network_.layers); ++layer)
      if (!taken_[layer]) groups.push_back(group_from(layer));
    std::sort(groups.begin(), groups.end(),
              [](const LayerGroup& a, const LayerGroup& b) { return a.output < b.output; });
    return groups;
  }

 private:
  LayerGroup group_from(int layer) {
    LayerGroup group;
    group.input = network_.layers[layer].inputs[0];
    if (pointwise_rank(network_, layer) < 0) {
      group.kind = as<Pool>(network_, layer) ? LayerGroup::Kind::average_pool : LayerGroup::Kind::convolution;
      group.layer = group.output = layer;
      taken_[layer] = true;
    } else {
      for (int next = layer; next != LayerGroup::none; next = successor(next)) join(group, next);
    }
    return group;
  }

  void join(LayerGroup& group, int layer) {
    const int rank = pointwise_rank(network_, layer);
    (rank == 0 ? group.pool : rank == 1 ? group.norm : rank == 2 ? group.sum : group.activation) = layer;
    if (rank == 2) {
      const std::vector<int>& inputs = network_.layers[layer].inputs;
      const bool left_is_chain = group.output == LayerGroup::none || inputs[0] == group.output;
      group.residual = left_is_chain ? inputs[1] : inputs[0];
    }
    group.output = layer;
    taken_[layer] = true;
  }

  /// The layer that may join a group after `layer`: the only one that reads it, if it belongs behind it.
  int successor(int layer) const {
    if (consumers_[layer].size() != 1) return LayerGroup::none;
    const int next = consumers_[layer].front();
    return !taken_[next] && pointwise_rank(network_, next) > pointwise_rank(network_, layer)
               ? next
               : LayerGroup::none;
  }

  const Network& network_;
  std::vector<std::vector<int>> consumers_;
  std::vector<bool> taken_;
};

bool has_trained_tensor(const Network& network, int layer) {
  const auto& tensors = network.parameters.tensors();
  return std::any_of(tensors.begin(), tensors.end(), [&](const Tensor& tensor) {
    return tensor.layer == layer && !tensor.frozen && tensor.role != Role::running_mean &&
           tensor.role != Role::running_variance;
  });
}

/// Whether a layer, or any before it on its paths, is trained.
std::vector<bool> layers_with_gradient(const Network& network) {
  std::vector<bool> needs(network.layers.size());
  for (int layer = 0; layer < std::ssize(network.layers); ++layer) {
    needs[layer] = has_trained_tensor(network, layer);
    for (int input : network.layers[layer].inputs)
      if (input != network_input && needs[input]) needs[layer] = true;
  }
  return needs;
}

}  // namespace

std::ptrdiff_t count_readers(const Network& network, int layer) {
  std::ptrdiff_t count = 0;
  for (const Layer& reader : network.layers)
    count += std::count(reader.inputs.begin(), reader.inputs.end(), layer);
  return count;
}

Shape shape_of(const Network& network, int layer) {
  return layer == network_input ? network.input : network.layers[layer].output;
}

std::vector<LayerGroup> layer_groups(const Network& network) {
  std::vector<LayerGroup> groups = Grouping(network).groups();
  const std::vector<bool> needs_gradient = layers_with_gradient(network);
  for (LayerGroup& group : groups) {
    group.needs_gradient = needs_gradient[group.output];
    group.input_needs_gradient = group.input >= 0 && needs_gradient[group.input];
    group.residual_needs_gradient = group.residual >= 0 && needs_gradient[group.residual];
  }
  return groups;
}

}  // namespace whorl::nn
