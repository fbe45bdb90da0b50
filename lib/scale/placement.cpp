// SPDX-License-Identifier: BSD-3-Clause
#include "scale/placement.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <set>
#include <thread>
#include <tuple>

#include "base/error.hpp"
#include "mpi/check.hpp"

namespace whorl::scale {

NodeOfRank nodes_of_ranks(const mpi::Communicator& comm) {
  mpi::Communicator node = comm.split_by_node();
  const int first = node.min(comm.rank());
  node.close();
  const std::vector<int> firsts = comm.all_gather(first);
  const std::set<int> different(firsts.begin(), firsts.end());
  NodeOfRank nodes;
  for (const int one : firsts)
    nodes.push_back(static_cast<int>(std::distance(different.begin(), different.find(one))));
  return nodes;
}

std::vector<int> place(const NodeOfRank& nodes, int count, const std::string& placement) {
  const int ranks = static_cast<int>(nodes.size());
  require(count >= 1 && count <= ranks, "{} ranks are wanted of an allocation of {}", count, ranks);
  std::vector<int> number_on_node(nodes.size()), order(nodes.size());
  std::vector<int> seen(nodes.size());
  for (std::size_t rank = 0; rank < nodes.size(); ++rank)
    number_on_node[rank] = seen[static_cast<std::size_t>(nodes[rank])]++;
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    const auto rank_a = static_cast<std::size_t>(a), rank_b = static_cast<std::size_t>(b);
    if (placement == "packed") return nodes[rank_a] < nodes[rank_b];
    return std::tie(number_on_node[rank_a], nodes[rank_a]) < std::tie(number_on_node[rank_b], nodes[rank_b]);
  });
  order.resize(static_cast<std::size_t>(count));
  std::sort(order.begin(), order.end());
  return order;
}

int count_nodes(const NodeOfRank& nodes, const std::vector<int>& ranks) {
  std::set<int> used;
  for (const int rank : ranks) used.insert(nodes[static_cast<std::size_t>(rank)]);
  return static_cast<int>(used.size());
}

void wait_asleep(const mpi::Communicator& comm) {
  MPI_Request request = MPI_REQUEST_NULL;
  mpi::check(MPI_Ibarrier(comm.get(), &request), "MPI_Ibarrier");
  for (int done = 0;;) {
    mpi::check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace whorl::scale
