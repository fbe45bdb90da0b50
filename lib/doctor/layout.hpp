// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "mpi/nodes.hpp"

namespace whorl::doctor {

/// Who is examined: the ranks of a job and where they run.
struct Layout {
  std::vector<std::string> hosts;  ///< by rank
  mpi::NodeOfRank nodes;           ///< by rank
  int threads = 1;                 ///< that each rank will compute with

  int size() const { return static_cast<int>(hosts.size()); }
  int node_count() const;
  /// Ascending.
  std::vector<int> ranks_on(int node) const;
  /// The lowest rank of every node.
  std::vector<int> first_ranks() const;
  const std::string& host_of(int rank) const { return hosts[static_cast<std::size_t>(rank)]; }
  /// "rank 3 (n2)".
  std::string name(int rank) const;
};

/// Collective.
Layout layout_of(const mpi::Communicator& comm);

/// Of every rank, by rank, on every rank; any type that has a JSON form. Collective.
template <typename Facts>
std::vector<Facts> gather(const mpi::Communicator& comm, const Facts& mine) {
  std::vector<Facts> all;
  for (const std::string& text : comm.all_gather(nlohmann::json(mine).dump()))
    all.push_back(nlohmann::json::parse(text).get<Facts>());
  return all;
}

}  // namespace whorl::doctor
