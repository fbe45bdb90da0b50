// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "nn/cpu/algorithm.hpp"
#include "nn/groups.hpp"

namespace whorl::nn::cpu {

struct Group : LayerGroup {
  Algorithm algorithm = {};  ///< of a convolution
  /// Of a pointwise group: the group of the Winograd convolution before it, which hands it planes to pool and
  /// to take statistics of as it finishes them, and of the one behind it, which asks for planes of the output
  /// as it needs them: neither tensor is stored then.
  int producer = none, consumer = none;
};

/// layer_groups(), all convolutions direct.
std::vector<Group> group_layers(const Network& network);

/// The pointwise group that alone reads the output of group `k` and does more than pooling; none if there is
/// none.
int only_pointwise_reader(const Network& network, const std::vector<Group>& groups, int k);
/// Sets producer and consumer by the algorithms of the convolutions.
void link_to_convolutions(const Network& network, std::vector<Group>& groups);

}  // namespace whorl::nn::cpu
