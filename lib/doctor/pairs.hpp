// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "mpi/communicator.hpp"

namespace whorl::doctor {

/// A tournament: over its rounds each of `players` meets every other once, all at the same time (the circle
/// method).
int rounds_of(int players);
/// Whom player `player` meets in a round; -1: nobody.
int opponent(int player, int players, int round);

/// Messages to and fro between two ranks.
struct PairTime {
  int first = -1, second = -1;
  double latency = 0;    ///< s, one way, of 8 bytes: median
  double bandwidth = 0;  ///< bytes/s, one way, of messages of 1 or 4 MB: median
  bool intact = true;    ///< what came back is what was sent

  double seconds_per_megabyte() const { return latency + 1e6 / bandwidth; }
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PairTime, first, second, latency, bandwidth, intact)

struct PairTimes {
  std::vector<PairTime> pairs;     ///< by round
  int rounds = 0, all_rounds = 0;  ///< made, and what meeting everybody takes
  double bytes_sent = 0;           ///< by this rank
};
/// Every rank meets the others of its `group` (which holds its own rank, or is empty), as many as there is
/// time for. In every round each rank has another partner, so a slow rank shows even in few rounds. Ranks
/// without a partner sleep. The result is the same on every rank, but for `bytes_sent`. Collective.
PairTimes time_pairs(const mpi::Communicator& comm, const std::vector<int>& group, double seconds);

/// How far the wall clock of rank `first` of each group is ahead of that of rank 0.
struct ClockOffset {
  double seconds = 0, uncertainty = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ClockOffset, seconds, uncertainty)
/// By the quickest of several questions and answers (Cristian, "Probabilistic clock synchronization", 1989),
/// for each of `ranks`, which rank 0 leads. On every rank. Collective.
std::vector<ClockOffset> clock_offsets(const mpi::Communicator& comm, const std::vector<int>& ranks);

}  // namespace whorl::doctor
