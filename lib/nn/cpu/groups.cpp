// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/groups.hpp"

#include <algorithm>
#include <variant>

#include "base/error.hpp"

namespace whorl::nn::cpu {

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

  std::vector<Group> groups() {
    std::vector<Group> groups;
    for (int layer = 0; layer < std::ssize(network_.layers); ++layer)
      if (!taken_[layer]) groups.push_back(group_from(layer));
    std::sort(groups.begin(), groups.end(),
              [](const Group& a, const Group& b) { return a.output < b.output; });
    return groups;
  }

 private:
  Group group_from(int layer) {
    Group group;
    group.input = network_.layers[layer].inputs[0];
    if (pointwise_rank(network_, layer) < 0) {
      group.kind = as<Pool>(network_, layer) ? Group::Kind::average_pool : Group::Kind::convolution;
      group.layer = group.output = layer;
      taken_[layer] = true;
    } else {
      for (int next = layer; next != Group::none; next = successor(next)) join(group, next);
    }
    return group;
  }

  void join(Group& group, int layer) {
    const int rank = pointwise_rank(network_, layer);
    (rank == 0 ? group.pool : rank == 1 ? group.norm : rank == 2 ? group.sum : group.activation) = layer;
    if (rank == 2) {
      const std::vector<int>& inputs = network_.layers[layer].inputs;
      const bool left_is_chain = group.output == Group::none || inputs[0] == group.output;
      group.residual = left_is_chain ? inputs[1] : inputs[0];
    }
    group.output = layer;
    taken_[layer] = true;
  }

  /// The layer that may join a group after `layer`: the only one that reads it, if it belongs behind it.
  int successor(int layer) const {
    if (consumers_[layer].size() != 1) return Group::none;
    const int next = consumers_[layer].front();
    return !taken_[next] && pointwise_rank(network_, next) > pointwise_rank(network_, layer) ? next
                                                                                             : Group::none;
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

std::ptrdiff_t count_readers(const Network& network, int layer) {
  std::ptrdiff_t count = 0;
  for (const Layer& reader : network.layers)
    count += std::count(reader.inputs.begin(), reader.inputs.end(), layer);
  return count;
}

bool only_pools(const Group& group) {
  return group.pool == group.output;
}

}  // namespace

const char* to_string(Algorithm algorithm) {
  if (algorithm == Algorithm::direct) return "direct";
  return algorithm == Algorithm::winograd3 ? "winograd3" : "winograd4";
}

int only_pointwise_reader(const Network& network, const std::vector<Group>& groups, int k) {
  if (count_readers(network, groups[k].output) != 1) return Group::none;
  for (int reader = k + 1; reader < std::ssize(groups); ++reader)
    if (groups[reader].kind == Group::Kind::pointwise && groups[reader].input == groups[k].output &&
        !only_pools(groups[reader]))
      return reader;
  return Group::none;
}

void link_to_convolutions(const Network& network, std::vector<Group>& groups) {
  for (Group& group : groups) group.producer = group.consumer = Group::none;
  for (int k = 0; k < std::ssize(groups); ++k) {
    if (groups[k].algorithm == Algorithm::direct) continue;
    const int behind = only_pointwise_reader(network, groups, k);
    if (behind != Group::none) groups[behind].producer = k;
    for (Group& before : groups)
      if (before.kind == Group::Kind::pointwise && before.output == groups[k].input &&
          before.residual == Group::none && !only_pools(before) && count_readers(network, before.output) == 1)
        before.consumer = k;
  }
}

Shape shape_of(const Network& network, int layer) {
  return layer == network_input ? network.input : network.layers[layer].output;
}

std::vector<Group> group_layers(const Network& network) {
  std::vector<Group> groups = Grouping(network).groups();
  const std::vector<bool> needs_gradient = layers_with_gradient(network);
  for (Group& group : groups) {
    group.needs_gradient = needs_gradient[group.output];
    group.input_needs_gradient = group.input >= 0 && needs_gradient[group.input];
    group.residual_needs_gradient = group.residual >= 0 && needs_gradient[group.residual];
  }
  return groups;
}

}  // namespace whorl::nn::cpu
