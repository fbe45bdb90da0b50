// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "mpi/communicator.hpp"

namespace whorl::mpi {

/// Ends a job in which a rank no longer answers, instead of letting the others wait for it for ever.
///
///   a thread of every rank, twice a second:
///     tell rank 0 that this rank is alive, and what it is doing (base/activity.hpp); rank 0 tells all
///     a connection that breaks, or is silent for `limit` seconds: say which rank, on which host, doing what,
///       and what the others are doing; end this process, and by that the job
///
/// Rank 0 watches all others, and they watch rank 0; so a rank that is cut off ends, too. A rank that has
/// itself been suspended (SIGSTOP to the whole job) counts anew. It notices a process that is dead, stopped
/// or cut off, not one that computes for ever. Costs P - 1 connections of rank 0 and, on each, two
/// messages a second in either direction.
class Watchdog {
 public:
  /// In seconds: below, ranks that tell of themselves twice a second would be taken for lost.
  static constexpr double shortest_limit = 2;
  /// Of a limit that somebody gives: 0, or not too short. Not of NaN.
  static bool is_limit(double limit) { return limit == 0 || limit >= shortest_limit; }

  /// `limit` in seconds; 0: watches nothing. Where a rank cannot reach rank 0 beside MPI, it is not watched,
  /// and a note says so. Collective.
  Watchdog(const Communicator& comm, double limit);
  /// Leaves the watch; not collective.
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whorl::mpi
