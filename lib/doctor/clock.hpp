// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "doctor/finding.hpp"
#include "doctor/layout.hpp"

namespace whorl::doctor {

/// How fast one rank's core computes, with all ranks at work. Rates are per second of processor time, so they
/// tell of the core alone; `waiting` tells of who else wants it.
struct Clock {
  std::string governor;  ///< of cpufreq; empty where the kernel has none (virtual machines)
  double nominal = 0;    ///< Hz without turbo; 0 where it is unknown
  double now = 0;        ///< Hz
  int lanes = 1;         ///< floats of a vector
  double fma_rate = 0;   ///< vector instructions (fused multiply-add) per second
  double waiting = 0;    ///< share of the time that the rank was ready, but had no core

  /// Instructions per cycle, as the processor is made.
  double fma_per_cycle() const;
  /// Measured over nominal FMA rate; 0 where the nominal clock is unknown.
  double speed() const;
  double flops() const { return 2.0 * lanes * fma_rate; }
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Clock, governor, nominal, now, lanes, fma_rate, waiting)

/// Measured in about 0.2 s.
Clock clock_of_this_rank();

/// A rank that has to share its core, or is slower than its processor should be, or than other ranks are.
/// `clocks`: by rank.
std::vector<Finding> judge_clock(const Layout& layout, const std::vector<Clock>& clocks);

/// Collective.
Check check_clock(const mpi::Communicator& comm, const Layout& layout);

}  // namespace whorl::doctor
