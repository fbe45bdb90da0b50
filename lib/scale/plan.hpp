// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "scale/placement.hpp"
#include "scale/study.hpp"

namespace whorl::scale {

/// One configuration of a study.
struct Point {
  std::string workload, scaling, placement;
  int ranks = 1, nodes = 1, threads = 1;
  std::int64_t batch = 0;  ///< global batch of a training; else 0
  std::string all_reduce;  ///< of a training; else "-"
  auto operator<=>(const Point&) const = default;
};

/// One timing that is to be made.
struct Timing {
  Point point;
  int repeat = 1;
  auto operator<=>(const Timing&) const = default;
};

/// What the factors that a study leaves open are taken from.
struct Defaults {
  std::int64_t batch = 0;
  std::string all_reduce;
  int threads = 1;  ///< of a rank with all ranks running
};

/// Every point that this allocation can hold, each once. Throws UsageError for more ranks than there are.
std::vector<Point> points_of(const Study& study, const NodeOfRank& nodes, const Defaults& defaults);

/// Each repeat times every point once, in a random order of its own: what drifts (clock, temperature,
/// neighbours on the network) then meets all points alike.
std::vector<Timing> timings_of(const std::vector<Point>& points, int repeats, std::uint64_t seed);

}  // namespace whorl::scale
