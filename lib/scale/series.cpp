// SPDX-License-Identifier: BSD-3-Clause
#include "scale/series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <tuple>

namespace whorl::scale {

namespace {

constexpr std::uint64_t bootstrap_seed = 1;

auto key_of(const Series& series) {
  return std::tie(series.workload, series.scaling, series.placement, series.threads, series.batch,
                  series.all_reduce);
}

Series empty_series_of(const Row& row, const std::string& placement) {
  const Point& point = row.timing.point;
  return {.workload = point.workload,
          .scaling = point.scaling,
          .placement = placement,
          .all_reduce = point.all_reduce,
          .threads = point.threads,
          .batch = point.scaling == "weak" ? point.batch / point.ranks : point.batch,
          .points = {}};
}

void add(Series& series, const Row& row) {
  const Point& point = row.timing.point;
  auto place = std::find_if(series.points.begin(), series.points.end(),
                            [&](const SeriesPoint& one) { return one.ranks >= point.ranks; });
  if (place == series.points.end() || place->ranks != point.ranks)
    place = series.points.insert(place, {point.ranks, point.nodes, {}});
  place->rows.push_back(row);
}

/// Weighted mean of the rows' splits; `weight` scales a row's seconds.
template <typename Weight>
Split mean_split(const std::vector<Row>& rows, Weight weight) {
  Split sum;
  for (const Row& row : rows) {
    const double factor = weight(row) / static_cast<double>(rows.size());
    sum.compute += factor * row.split.compute;
    sum.communication += factor * row.split.communication;
    sum.input += factor * row.split.input;
    sum.waiting += factor * row.split.waiting;
    sum.other += factor * row.split.other;
  }
  return sum;
}

/// The one of these placements, with their nodes, that `placement` is on this number of ranks: points that
/// two placements have in common are timed under the name of one.
std::string timed_as(const std::string& placement, int ranks, const std::map<std::string, int>& nodes_of) {
  if (nodes_of.contains(placement)) return placement;
  const int turn = ranks_in_turn(placement).value();
  const int nodes = ranks / turn + (ranks % turn == 0 ? 0 : 1);
  return std::min_element(nodes_of.begin(), nodes_of.end(),
                          [&](const auto& a, const auto& b) {
                            return std::abs(a.second - nodes) < std::abs(b.second - nodes);
                          })
      ->first;
}

}  // namespace

Sample SeriesPoint::sample() const {
  Sample sample{.ranks = ranks, .throughputs = {}};
  for (const Row& row : rows) sample.throughputs.push_back(row.throughput());
  return sample;
}

Split SeriesPoint::rank_seconds_per_picture() const {
  return mean_split(rows, [&](const Row& row) { return ranks / static_cast<double>(row.pictures); });
}

Split SeriesPoint::shares() const {
  return mean_split(rows, [](const Row& row) { return 1 / row.seconds; });
}

std::string Series::title() const {
  std::string title = fmt::format("{}, {} scaling", workload, scaling);
  if (workload == "train")
    title +=
        fmt::format(", batch {}{}, all-reduce {}", batch, scaling == "weak" ? " a rank" : "", all_reduce);
  const bool several_nodes =
      std::any_of(points.begin(), points.end(), [](const SeriesPoint& point) { return point.nodes > 1; });
  if (several_nodes) title += ", " + placement_text(placement);
  return title + fmt::format(", {} thread{} a rank", threads, threads == 1 ? "" : "s");
}

std::vector<Sample> Series::samples() const {
  std::vector<Sample> all;
  for (const SeriesPoint& point : points) all.push_back(point.sample());
  return all;
}

std::vector<Fit> Series::fits() const {
  const std::vector<Sample> all = samples();
  return {scaling == "strong" ? fit_amdahl(all, bootstrap_seed) : fit_gustafson(all, bootstrap_seed),
          fit_usl(all, bootstrap_seed)};
}

std::vector<Series> series_of(const std::vector<Row>& rows) {
  std::vector<Series> all;
  for (const Row& row : rows) {
    const Series mine = empty_series_of(row, row.timing.point.placement);
    if (std::none_of(all.begin(), all.end(), [&](const Series& one) { return key_of(one) == key_of(mine); }))
      all.push_back(mine);
  }
  std::ranges::sort(all, [](const Series& a, const Series& b) { return key_of(a) < key_of(b); });
  for (Series& series : all) {
    std::map<int, std::map<std::string, int>> nodes_of;  // by ranks and placement
    std::vector<const Row*> mine;
    for (const Row& row : rows) {
      const Point& point = row.timing.point;
      if (key_of(empty_series_of(row, series.placement)) != key_of(series)) continue;
      mine.push_back(&row);
      nodes_of[point.ranks][point.placement] = point.nodes;
    }
    for (const Row* row : mine) {
      const Point& point = row->timing.point;
      if (point.placement == timed_as(series.placement, point.ranks, nodes_of[point.ranks]))
        add(series, *row);
    }
  }
  return all;
}

}  // namespace whorl::scale
