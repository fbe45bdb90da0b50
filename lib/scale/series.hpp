// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "scale/fit.hpp"
#include "scale/rows.hpp"

namespace whorl::scale {

/// The rows of one number of ranks in a series.
struct SeriesPoint {
  int ranks = 1, nodes = 1;
  std::vector<Row> rows;  ///< by repeat
  Sample sample() const;
  /// Mean seconds of the split for each picture and rank together: rank-seconds per picture.
  Split rank_seconds_per_picture() const;
  /// Mean shares of the wall clock.
  Split shares() const;
};

/// Rows that differ in the number of ranks only (and with it the nodes), by ascending ranks.
struct Series {
  std::string workload, scaling, placement, all_reduce;
  int threads = 1;
  std::int64_t batch = 0;  ///< global with strong scaling, of one rank with weak
  std::vector<SeriesPoint> points;

  std::string title() const;
  std::vector<Sample> samples() const;
  /// The fits that apply: Amdahl or Gustafson, and the USL.
  std::vector<Fit> fits() const;
};

/// By workload, scaling and placement, whatever the order of the rows. Points that several placements have in
/// common belong to the series of each.
std::vector<Series> series_of(const std::vector<Row>& rows);

}  // namespace whorl::scale
