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
  std::string algorithm;  ///< as asked for, and what it came to: "ring", "auto (shared)"
  std::size_t bytes = 0;
  /// Of one sum on rank 0: computed, and counted while the sum was verified. Absent where a library does not
  /// say.
  std::optional<collective::Cost> computed, counted;
  std::vector<double> seconds;  // by repeat: the time of the slowest rank
  double median() const;
};

/// What to compare, and how.
struct Comparison {
  std::vector<std::string> algorithms;  ///< of collective::available_algorithms(), or "auto"
  collective::Element element = collective::Element::float32;
  collective::Options options;
  int repeats = 0;
};

/// Verifies and times sums of `bytes` (whole elements) with every algorithm, in place in memory that it
/// allocates. A repeat runs each algorithm once, in turn and every other time backwards, so that drift of the
/// machine and what runs before meet all of them alike; a barrier precedes each. Throws when a sum is not
/// exact. Collective.
std::vector<Measurement> measure(const Comparison& comparison, std::size_t bytes,
                                 const mpi::Communicator& comm);

}  // namespace whorl::allreduce
