// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/latencies.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace whorl::readbench {

void Latencies::add(double seconds, std::int64_t count) {
  const double step = std::floor(std::log2(std::max(seconds, shortest) / shortest) * steps_an_octave);
  counts_[static_cast<std::size_t>(std::min(step, static_cast<double>(counts_.size() - 1)))] += count;
}

void Latencies::sum_over(const mpi::Communicator& comm) {
  comm.sum_in_place(std::span<std::int64_t>(counts_));
}

double Latencies::percentile(double fraction) const {
  const auto total = std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
  const auto wanted = static_cast<std::int64_t>(std::ceil(fraction * static_cast<double>(total)));
  std::int64_t below = 0;
  for (std::size_t step = 0; step < counts_.size(); ++step) {
    below += counts_[step];
    if (counts_[step] > 0 && below >= wanted)
      return shortest * std::exp2((static_cast<double>(step) + 0.5) / steps_an_octave);
  }
  return 0;
}

}  // namespace whorl::readbench
