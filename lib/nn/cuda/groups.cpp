// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/groups.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/error.hpp"

namespace whorl::nn::cuda {

namespace {

using Kind = LayerGroup::Kind;

void require_computable(const Network& network, const Group& group) {
  if (group.pool == Group::none || group.pool == group.output) return;
  const Layer& layer = network.layers[group.pool];
  const Pool& pool = std::get<Pool>(layer.operation);
  require(
      pool.stride == pool.window && pool.padding == 0,
      "layer {}: on a GPU, windows of max pooling before a batch-norm, sum or activation must not overlap",
      layer.name);
}

/// A convolution's bias goes to the pointwise group that alone reads it and has no norm of its own: one pass
/// less.
void place_bias(const Network& network, std::vector<Group>& groups, std::size_t k) {
  if (network.parameters.find(groups[k].layer, Role::bias) == nullptr) return;
  const auto reader = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
    return group.kind == Kind::pointwise && group.input == groups[k].output && group.norm == Group::none &&
           group.pool == Group::none;
  });
  const bool is_handed_on = reader != groups.end() && count_readers(network, groups[k].output) == 1;
  (is_handed_on ? *reader : groups[k]).bias = groups[k].layer;
}

bool has_trained_parameters(const Network& network, const Group& group) {
  const auto is_trained = [&](int layer, Role role) {
    const Tensor* tensor = layer == Group::none ? nullptr : network.parameters.find(layer, role);
    return tensor != nullptr && !tensor->frozen;
  };
  return is_trained(group.bias, Role::bias) || is_trained(group.layer, Role::conv_weight) ||
         is_trained(group.layer, Role::linear_weight) || is_trained(group.norm, Role::bn_shift);
}

/// Whether the group whose output is `layer` has anything to do backward.
bool is_wanted(const std::vector<Group>& groups, int layer) {
  return std::any_of(groups.begin(), groups.end(), [&](const Group& group) {
    return group.output == layer && group.wants_output_gradient;
  });
}

bool is_read_behind(const std::vector<Group>& groups, std::size_t k, int layer) {
  return std::any_of(groups.begin() + static_cast<std::ptrdiff_t>(k) + 1, groups.end(),
                     [&](const Group& group) { return group.input == layer || group.residual == layer; });
}

}  // namespace

const BatchNorm* batch_norm_of(const Network& network, const LayerGroup& group) {
  return group.norm == LayerGroup::none ? nullptr
                                        : std::get_if<BatchNorm>(&network.layers[group.norm].operation);
}

std::vector<Group> group_layers(const Network& network) {
  std::vector<Group> groups;
  for (const LayerGroup& group : layer_groups(network)) groups.push_back({group});
  for (std::size_t k = 0; k < groups.size(); ++k) {
    require_computable(network, groups[k]);
    if (groups[k].kind == Kind::convolution) place_bias(network, groups, k);
  }
  for (std::size_t k = 0; k < groups.size(); ++k) {
    Group& group = groups[k];
    group.trains = has_trained_parameters(network, group);
    group.writes_input_gradient = is_wanted(groups, group.input);
    group.writes_residual_gradient = is_wanted(groups, group.residual);
    group.wants_output_gradient =
        group.trains || group.writes_input_gradient || group.writes_residual_gradient;
    group.adds_to_input_gradient = group.writes_input_gradient &&
                                   (is_read_behind(groups, k, group.input) || group.input == group.residual);
    group.adds_to_residual_gradient =
        group.writes_residual_gradient && is_read_behind(groups, k, group.residual);
  }
  return groups;
}

}  // namespace whorl::nn::cuda
