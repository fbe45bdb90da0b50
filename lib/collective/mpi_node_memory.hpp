// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <utility>
#include <vector>

#include "collective/node_memory.hpp"
#include "mpi/communicator.hpp"
#include "mpi/node_window.hpp"

namespace whorl::collective {

/// Memory in MPI windows.
class MpiNodeMemory : public NodeMemory {
 public:
  /// `node`: ranks that share memory, as of split_by_node(). The destructor is collective.
  explicit MpiNodeMemory(mpi::Communicator node) : node_(std::move(node)) {}

  int rank() const override { return node_.rank(); }
  int size() const override { return node_.size(); }
  void idle() override;

 private:
  std::vector<std::byte*> allocate_parts(std::size_t bytes) override {
    return windows_.emplace_back(node_, bytes, "gradients; its memory comes from /dev/shm").parts();
  }

  mpi::Communicator node_;
  std::vector<mpi::NodeWindow> windows_;
  unsigned idle_turns_ = 0;
};

}  // namespace whorl::collective
