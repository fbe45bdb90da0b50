// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>

#include "mpi/communicator.hpp"

namespace whorl::readbench {

/// A histogram of seconds with 16 steps an octave from 10 ns to three hours: percentiles are right within 2.2
/// %, and those of all ranks need one small sum.
class Latencies {
 public:
  /// `count` pictures that took `seconds` each.
  void add(double seconds, std::int64_t count);
  /// Adds those of the other ranks. Collective.
  void sum_over(const mpi::Communicator& comm);
  /// The seconds that the share `fraction` of the pictures did not exceed; 0 without pictures.
  double percentile(double fraction) const;

 private:
  static constexpr int steps_an_octave = 16, octaves = 40;
  static constexpr double shortest = 1e-8;
  std::array<std::int64_t, std::size_t{steps_an_octave} * octaves> counts_{};
};

}  // namespace whorl::readbench
