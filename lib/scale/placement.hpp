// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mpi/communicator.hpp"

namespace whorl::scale {

/// Which node each rank of an allocation is on: nodes are numbered in the order of their lowest rank.
using NodeOfRank = std::vector<int>;

/// By rank, on every rank. Collective.
NodeOfRank nodes_of_ranks(const mpi::Communicator& comm);

/// The ranks, ascending, that `count` ranks occupy: "packed" fills a node before the next, "spread" takes the
/// nodes in turn. Rank 0 is always among them.
std::vector<int> place(const NodeOfRank& nodes, int count, const std::string& placement);

/// How many nodes `ranks` are on.
int count_nodes(const NodeOfRank& nodes, const std::vector<int>& ranks);

/// A barrier in which the waiting ranks sleep instead of spinning, so that they leave cores, caches, memory
/// bandwidth and turbo clock to those that still work; woken within two milliseconds. Collective.
void wait_asleep(const mpi::Communicator& comm);

}  // namespace whorl::scale
