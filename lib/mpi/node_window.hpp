// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <mpi.h>

#include <cstddef>
#include <vector>

#include "mpi/communicator.hpp"

namespace whorl::mpi {

/// Memory that all ranks of a node can read and write (MPI_Win_allocate_shared): a part of equal size for
/// each, all zeros at first, on pages of its own, at the start of a cache line. Order between ranks is up to
/// the user's atomics.
class NodeWindow {
 public:
  /// `node`: ranks that share memory, as of split_by_node(); `bytes`: of each part; `what` it is for, in
  /// errors. Collective.
  NodeWindow(const Communicator& node, std::size_t bytes, const char* what);
  NodeWindow(NodeWindow&& other) noexcept;
  NodeWindow& operator=(NodeWindow&& other) noexcept;
  /// Collective; does nothing while an exception unwinds.
  ~NodeWindow();

  /// By rank.
  const std::vector<std::byte*>& parts() const { return parts_; }

 private:
  MPI_Win window_ = MPI_WIN_NULL;
  std::vector<std::byte*> parts_;
};

}  // namespace whorl::mpi
