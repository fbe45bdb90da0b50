// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/nodes.hpp"

#include <chrono>
#include <iterator>
#include <set>
#include <thread>

#include "mpi/check.hpp"

namespace whorl::mpi {

NodeOfRank nodes_of_ranks(const Communicator& comm) {
  Communicator node = comm.split_by_node();
  const int first = node.min(comm.rank());
  node.close();
  const std::vector<int> firsts = comm.all_gather(first);
  const std::set<int> different(firsts.begin(), firsts.end());
  NodeOfRank nodes;
  for (const int one : firsts)
    nodes.push_back(static_cast<int>(std::distance(different.begin(), different.find(one))));
  return nodes;
}

void wait_asleep(const Communicator& comm) {
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Ibarrier(comm.get(), &request), "MPI_Ibarrier");
  for (int done = 0;;) {
    check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace whorl::mpi
