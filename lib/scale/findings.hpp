// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scale/series.hpp"

namespace whorl::scale {

/// Half of the capacity that further ranks add is lost: the criterion for "it stops scaling".
constexpr double least_gain = 0.5;

/// The first number of ranks of a series that brings less than `least_gain` of what its further ranks could
/// bring over the number before; nothing when all bring more.
std::optional<std::size_t> stops_at(const std::vector<Sample>& samples);

/// What grows most, in rank-seconds a picture, from one point to another, with the share of all growth that
/// it has, in [0, 1].
struct Reason {
  std::string part;  ///< compute, communication, input, waiting, other; empty when nothing grows
  double share = 0;
};
Reason reason_between(const SeriesPoint& from, const SeriesPoint& to);

/// Sentences: whether and where the series stops scaling, and what its ranks then spend their time on.
std::string explain(const Series& series);

/// For people: of every series its throughput, efficiency and split by ranks, its fits, and explain().
std::string findings_text(const std::vector<Row>& rows);

/// "0.953 (0.941 to 0.960)".
std::string with_interval(double value, const std::optional<Interval>& interval, int decimals);

/// "Amdahl: X(P) = ..., s = 0.012 (0.010 to 0.014), x1 = ...; largest residual 2.1 %", or why there is none.
std::string fit_text(const Fit& fit);

}  // namespace whorl::scale
