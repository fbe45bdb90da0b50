// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <mpi.h>

#include <vector>

#include "collective/node_memory.hpp"
#include "mpi/communicator.hpp"

namespace whorl::collective {

/// Windows of MPI_Win_allocate_shared, with each rank's part on pages of its own.
class MpiNodeMemory : public NodeMemory {
 public:
  /// `node`: ranks that share memory, as of split_by_node().
  explicit MpiNodeMemory(mpi::Communicator node) : node_(std::move(node)) {}
  /// Frees the windows (collective), unless an exception unwinds.
  ~MpiNodeMemory() override;
  MpiNodeMemory(const MpiNodeMemory&) = delete;
  MpiNodeMemory& operator=(const MpiNodeMemory&) = delete;

  int rank() const override { return node_.rank(); }
  int size() const override { return node_.size(); }
  std::vector<std::byte*> allocate(std::size_t bytes) override;
  void idle() override;

 private:
  mpi::Communicator node_;
  std::vector<MPI_Win> windows_;
  unsigned idle_turns_ = 0;
};

}  // namespace whorl::collective
