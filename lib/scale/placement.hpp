// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mpi/nodes.hpp"

namespace whorl::scale {

using mpi::NodeOfRank;

/// The ranks, ascending, that `count` ranks occupy: "packed" fills a node before the next, "spread" takes the
/// nodes in turn. Rank 0 is always among them.
std::vector<int> place(const NodeOfRank& nodes, int count, const std::string& placement);

/// How many nodes `ranks` are on.
int count_nodes(const NodeOfRank& nodes, const std::vector<int>& ranks);

}  // namespace whorl::scale
