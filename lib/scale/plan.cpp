// SPDX-License-Identifier: BSD-3-Clause
#include "scale/plan.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/keyed_random.hpp"

namespace whorl::scale {

namespace {

std::vector<int> rank_counts(const Study& study, int available) {
  if (study.ranks.empty()) {
    std::vector<int> counts;
    for (int count = 1; count < available; count *= 2) counts.push_back(count);
    counts.push_back(available);
    return counts;
  }
  const int most = *std::max_element(study.ranks.begin(), study.ranks.end());
  if (most > available)
    throw UsageError("study.ranks asks for {} ranks, but the program was started with {}: mpirun -n {}", most,
                     available, most);
  return study.ranks;
}

template <typename T>
std::vector<T> or_default(const std::vector<T>& values, const T& value) {
  return values.empty() ? std::vector<T>{value} : values;
}

/// The points of one workload, kind of scaling, number of ranks and their nodes.
void add_factors(const Study& study, const Defaults& defaults, Point point, std::set<Point>& points) {
  if (point.workload != "train") {
    points.insert(point);
    return;
  }
  for (const int threads : study.threads) {
    point.threads = threads > 0 ? threads : defaults.threads;
    for (const std::int64_t batch : or_default(study.batches, defaults.batch)) {
      for (const std::string& all_reduce : or_default(study.all_reduces, defaults.all_reduce)) {
        point.batch = point.scaling == "weak" ? batch * point.ranks : batch;
        point.all_reduce = all_reduce;
        points.insert(point);
      }
    }
  }
}

}  // namespace

std::vector<Point> points_of(const Study& study, const NodeOfRank& nodes, const Defaults& defaults) {
  std::set<Point> points;
  for (const int count : rank_counts(study, static_cast<int>(nodes.size()))) {
    std::set<std::vector<int>> places;  // two placements may be the same ranks
    for (const std::string& placement : study.placements) {
      const std::vector<int> ranks = place(nodes, count, placement);
      if (!places.insert(ranks).second) continue;
      for (const std::string& workload : study.workloads) {
        for (const std::string& scaling : study.scaling) {
          add_factors(study, defaults,
                      {.workload = workload,
                       .scaling = scaling,
                       .placement = placement,
                       .ranks = count,
                       .nodes = count_nodes(nodes, ranks),
                       .all_reduce = "-"},
                      points);
        }
      }
    }
  }
  return {points.begin(), points.end()};
}

std::vector<Timing> timings_of(const std::vector<Point>& points, int repeats, std::uint64_t seed) {
  std::vector<Timing> timings;
  for (int repeat = 1; repeat <= repeats; ++repeat) {
    std::vector<Point> order = points;
    KeyedRandom random(seed, RandomPurpose::study, static_cast<std::uint32_t>(repeat), 0);
    for (std::size_t i = order.size(); i > 1; --i)  // Fisher-Yates
      std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
    for (const Point& point : order) timings.push_back({point, repeat});
  }
  return timings;
}

}  // namespace whorl::scale
