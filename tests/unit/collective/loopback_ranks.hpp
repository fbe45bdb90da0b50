// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "checked_transport.hpp"
#include "collective/all_reduce.hpp"

namespace whorl::collective {

/// Which all-reduce runs on how many ranks.
struct Arrangement {
  std::string algorithm;
  int ranks = 1;
  std::size_t chunk_bytes = 64;
  std::size_t staging_bytes = 1024;
};

/// One of the ranks, in a thread of its own.
struct Rank {
  int rank;
  AllReduce& all_reduce;
  Traffic& traffic;  ///< of all of its transports
};

/// Names that on_ranks() knows.
std::vector<std::string> loopback_algorithms();

/// Runs `body` on all ranks at once. "hierarchical" places them on up to three nodes, as unequal as
/// need be; "ring_on_nodes" is a ring over one or two; "background" is a ring moved on by threads.
/// As in an MPI job, an exception on one rank ends the whole process.
void on_ranks(const Arrangement& arrangement, const std::function<void(const Rank&)>& body);

}  // namespace whorl::collective
