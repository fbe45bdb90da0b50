// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "readbench/measurement.hpp"
#include "readbench/statistics.hpp"

namespace whorl::readbench {

/// What distinguishes groups of measurements; within one, only batch, number of batches and repetition vary.
struct Condition {
  std::size_t source = 0;
  dataset::Order order = dataset::Order::shuffled;
  Cache cache = Cache::warm;
  bool decode = true;
  int prefetch = 0;
  auto operator<=>(const Condition&) const = default;
};
Condition condition_of(const Configuration& configuration);
/// "warm, shuffled, decoded".
std::string describe(const Condition& condition);

/// images/s averaged over all measurements with this value of a parameter.
struct Average {
  std::string parameter;  ///< "batch", "batches" or "repeat"
  int value = 0;
  double images_per_second = 0;
};

/// The regression of images/s on one parameter.
struct Regression {
  std::string on;  ///< "batch", "batches", "batch x batches" or "repeat"
  Line line;
};

struct Group {
  Condition condition;
  std::vector<Measurement> measurements;
  double median_rate = 0, lowest_rate = 0, highest_rate = 0;  ///< images/s
  double median_p50 = 0, median_p99 = 0;                      ///< seconds
  std::vector<Average> averages{};
  /// seconds = intercept + slope * images: what beginning costs, and what a picture costs.
  FittedLine time{};
  std::vector<Regression> regressions{};  ///< on parameters that had several values
  double cpu_share = 0,
         queue_share = 0;  ///< of the ranks' time: computing; waiting for a processor that others have
  double disk_share = 0;   ///< bytes that the disk gave, per stored byte read
  double copy_share = 0;   ///< bytes moved into the batch, as a share of what memory can copy meanwhile
};

/// By condition, in their order. `copy_bandwidth` in bytes/s of all ranks together.
std::vector<Group> analyse(std::span<const Measurement> measurements, int ranks, double copy_bandwidth,
                           std::uint64_t seed);

/// One line for each source: how fast, how much colder, what bounds it, and against single files.
std::vector<std::string> conclusions(std::span<const Group> groups, const Study& study);

}  // namespace whorl::readbench
