// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "mpi/communicator.hpp"

namespace whorl::mpi {

/// Which node each rank of an allocation is on: nodes are numbered in the order of their lowest rank.
using NodeOfRank = std::vector<int>;

/// By rank, on every rank. Collective.
NodeOfRank nodes_of_ranks(const Communicator& comm);

/// A barrier in which the waiting ranks sleep instead of spinning, so that they leave cores, caches, memory
/// bandwidth and turbo clock to those that still work; woken within two milliseconds. Collective.
void wait_asleep(const Communicator& comm);

}  // namespace whorl::mpi
