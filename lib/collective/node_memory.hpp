// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

namespace whorl::collective {

/// Memory that all ranks of one node can read and write. Implemented by MPI windows, and by plain memory for
/// ranks that are threads (loopback).
class NodeMemory {
 public:
  /// One allocation.
  struct Region {
    std::vector<std::byte*> parts;  ///< by rank, each at the start of a cache line
    std::size_t bytes = 0;          ///< of each part
  };

  virtual ~NodeMemory() = default;
  /// Of this process among those of its node.
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// `bytes` zeros for every rank, which live as long as this object. Collective over the node, with the same
  /// `bytes`.
  const Region& allocate(std::size_t bytes) {
    return regions_.emplace_back(Region{.parts = allocate_parts(bytes), .bytes = bytes});
  }
  /// The allocation in whose part of this rank `data` lie; null where there is none.
  const Region* region_of(std::span<const std::byte> data) const;
  /// Lets other ranks run: called while waiting for them.
  virtual void idle() = 0;

 private:
  virtual std::vector<std::byte*> allocate_parts(std::size_t bytes) = 0;

  std::deque<Region> regions_;
};

}  // namespace whorl::collective
