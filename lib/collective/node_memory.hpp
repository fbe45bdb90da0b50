// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <vector>

namespace whorl::collective {

/// Memory that all ranks of one node can read and write. Implemented by MPI windows, and by plain memory for
/// ranks that are threads (loopback).
class NodeMemory {
 public:
  virtual ~NodeMemory() = default;
  /// Of this process among those of its node.
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// `bytes` zeros for every rank: where each rank's lie, by rank, at the start of a cache line. They live as
  /// long as this object. Collective over the node, with the same `bytes`.
  virtual std::vector<std::byte*> allocate(std::size_t bytes) = 0;
  /// Lets other ranks run: called while waiting for them.
  virtual void idle() = 0;
};

}  // namespace whorl::collective
