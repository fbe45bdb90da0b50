// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mpi/cores.hpp"
#include "mpi/session.hpp"

namespace whorl::doctor {

int Layout::node_count() const {
  return *std::ranges::max_element(nodes) + 1;
}

std::vector<int> Layout::ranks_on(int node) const {
  std::vector<int> ranks;
  for (int rank = 0; rank < size(); ++rank)
    if (nodes[static_cast<std::size_t>(rank)] == node) ranks.push_back(rank);
  return ranks;
}

std::vector<int> Layout::first_ranks() const {
  std::vector<int> ranks;
  for (int node = 0; node < node_count(); ++node) ranks.push_back(ranks_on(node).front());
  return ranks;
}

std::string Layout::name(int rank) const {
  return fmt::format("rank {} ({})", rank, host_of(rank));
}

Layout layout_of(const mpi::Communicator& comm) {
  return {.hosts = comm.all_gather(mpi::host_name()),
          .nodes = mpi::nodes_of_ranks(comm),
          .threads = comm.max(mpi::default_threads(comm))};
}

}  // namespace whorl::doctor
