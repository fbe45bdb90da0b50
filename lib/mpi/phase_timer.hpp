// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"

namespace whorl::mpi {

/// Seconds spent in one named phase, over the ranks.
struct PhaseStatistics {
  std::string name;
  double min = 0, mean = 0, max = 0, standard_deviation = 0;
  int slowest_rank = 0;
  std::string slowest_host;
  std::vector<double> per_rank;  // (ranks)
};

/// Accumulates wall-clock seconds per phase on this rank; reduced over the ranks with MPI. Phases may be
/// entered any number of times, and they may nest (times then overlap, as the caller intends).
class PhaseTimer {
 public:
  using Clock = std::chrono::steady_clock;

  /// Stops the clock of its phase when it goes out of scope.
  class Scope {
   public:
    Scope(PhaseTimer& timer, std::size_t phase) : timer_(&timer), phase_(phase), start_(Clock::now()) {}
    ~Scope() { timer_->seconds_[phase_] += std::chrono::duration<double>(Clock::now() - start_).count(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    PhaseTimer* timer_;
    std::size_t phase_;
    Clock::time_point start_;
  };

  /// All ranks construct it with the same names.
  explicit PhaseTimer(std::vector<std::string> phases);

  /// `phase` is an index into the names given to the constructor.
  [[nodiscard]] Scope measure(std::size_t phase) { return Scope(*this, phase); }
  void add(std::size_t phase, double seconds) { seconds_[phase] += seconds; }
  double seconds(std::size_t phase) const { return seconds_[phase]; }
  void reset();

  /// Statistics of all phases over the ranks of `comm`, on every rank. Collective.
  std::vector<PhaseStatistics> reduce(const Communicator& comm) const;

 private:
  std::vector<std::string> names_;
  std::vector<double> seconds_;
};

}  // namespace whorl::mpi
