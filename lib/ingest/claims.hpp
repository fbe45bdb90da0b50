// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

#include "mpi/communicator.hpp"
#include "mpi/node_window.hpp"

namespace whorl::ingest {

/// Every rank of a node has a list of things to do, numbered from 0. Hands out each number once, to whichever
/// rank of the node asks first.
class Claims {
 public:
  /// `node`: ranks that share memory. Collective.
  explicit Claims(const mpi::Communicator& node);

  /// The next number of the list of `rank` (in `node`), if it is below `end`. Independent.
  std::optional<std::int64_t> claim(int rank, std::int64_t end);

 private:
  mpi::NodeWindow next_;  // an int64 of each rank: the first number of its list that nobody has
};

}  // namespace whorl::ingest
