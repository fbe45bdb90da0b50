// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collective/all_reduce.hpp"
#include "mpi/communicator.hpp"

namespace whorl::allreduce {

/// One algorithm at one message size, the same on every rank.
struct Measurement {
  std::string algorithm;
  std::size_t bytes = 0;
  /// Of one sum on rank 0: computed, and counted while the sum was verified. Absent where a library does not
  /// say.
  std::optional<collective::Cost> computed, counted;
  std::vector<double> seconds;  // by repeat: the time of the slowest rank
  double median() const;
};

/// Verifies and times sums of `bytes` (a multiple of 4) with every algorithm. A repeat runs each algorithm
/// once, in turn, so that drift of the machine meets all of them alike; a barrier precedes each. Throws when
/// a sum is not exact. Collective.
std::vector<Measurement> measure(std::span<const std::unique_ptr<collective::AllReduce>> algorithms,
                                 std::size_t bytes, int repeats, const mpi::Communicator& comm);

}  // namespace whorl::allreduce
