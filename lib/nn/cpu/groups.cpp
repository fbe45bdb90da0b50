// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/groups.hpp"

namespace whorl::nn::cpu {

namespace {

bool only_pools(const Group& group) {
  return group.pool == group.output;
}

}  // namespace

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
    if (groups[k].algorithm.is_direct()) continue;
    const int behind = only_pointwise_reader(network, groups, k);
    if (behind != Group::none) groups[behind].producer = k;
    for (Group& before : groups)
      if (before.kind == Group::Kind::pointwise && before.output == groups[k].input &&
          before.residual == Group::none && !only_pools(before) && count_readers(network, before.output) == 1)
        before.consumer = k;
  }
}

std::vector<Group> group_layers(const Network& network) {
  std::vector<Group> groups;
  for (const LayerGroup& group : layer_groups(network)) groups.push_back({group});
  return groups;
}

}  // namespace whorl::nn::cpu
