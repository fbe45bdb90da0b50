// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "mpi/communicator.hpp"

namespace whorl::ingest {

/// Sum and sum of squares of the values of each colour, as integers: exact, so that mean and deviation do not
/// depend on the order of the pictures or the number of ranks.
class ChannelSums {
 public:
  /// `pixels`: red, green and blue in turns.
  void add(std::span<const std::uint8_t> pixels);
  /// Sums over all ranks. Collective.
  void reduce(const mpi::Communicator& comm) { comm.sum_in_place(std::span<std::uint64_t>(sums_)); }

  /// Of values divided by 255. 0 before the first pixel.
  std::array<double, 3> mean() const;
  /// Population standard deviation of values divided by 255. 1 before the first pixel.
  std::array<double, 3> standard_deviation() const;

 private:
  // Pixels; sums of red, green, blue; sums of their squares.
  std::array<std::uint64_t, 7> sums_{};
};

}  // namespace whorl::ingest
