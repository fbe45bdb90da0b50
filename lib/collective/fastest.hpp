// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "collective/all_reduce.hpp"

namespace whorl::collective {

/// The time of one algorithm: the median over repeats of the slowest rank.
struct Timing {
  std::string algorithm;
  double seconds = 0;
};

/// Those that "auto" chooses from on these nodes. Collective.
std::vector<std::string> suitable_algorithms(const mpi::Communicator& comm);

struct Fastest {
  std::unique_ptr<AllReduce> all_reduce;
  double seconds = 0;           ///< that it took
  std::vector<Timing> timings;  ///< of all that were measured; empty for one rank
};

/// Times the algorithms of these names on buckets of `counts` elements each, started at once in memory that
/// they allocate, and keeps the fastest. Takes a second or two at most, where one round does not take longer.
/// Every rank gets the same. Collective.
Fastest make_fastest(std::span<const std::string> names, const mpi::Communicator& comm,
                     const Options& options, Element element, std::span<const std::size_t> counts);

}  // namespace whorl::collective
