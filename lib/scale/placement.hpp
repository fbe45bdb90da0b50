// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mpi/nodes.hpp"

namespace whorl::scale {

using mpi::NodeOfRank;

/// How many ranks a placement puts on a node before the next node has its turn: "packed" all that it can
/// hold, "spread" one, "4" four. Nothing for what is no placement.
std::optional<int> ranks_in_turn(const std::string& placement);

/// For people: "packed", "spread", "4 ranks on each node in turn".
std::string placement_text(const std::string& placement);

/// The ranks, ascending, that `count` ranks occupy, nodes taking turns as the placement says. Rank 0 is
/// always among them.
std::vector<int> place(const NodeOfRank& nodes, int count, const std::string& placement);

/// How many nodes `ranks` are on.
int count_nodes(const NodeOfRank& nodes, const std::vector<int>& ranks);

}  // namespace whorl::scale
