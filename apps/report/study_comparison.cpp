// SPDX-License-Identifier: BSD-3-Clause
#include "study_comparison.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <map>

#include "base/progress.hpp"
#include "scale/series.hpp"

namespace whorl::report_app {

namespace {

using scale::Series, scale::SeriesPoint;

constexpr double slower = 1.5;  // times as long for a megabyte: less is taken for the same link

/// A study with what its first start measured between nodes.
struct Compared {
  const StudyRun* run = nullptr;
  std::vector<Series> series;
  double latency = 0, bandwidth = 0;  ///< s, bytes/s; 0 on one node

  bool has_link() const { return bandwidth > 0; }
  double seconds_per_megabyte() const { return has_link() ? latency + 1e6 / bandwidth : 0; }
  std::string link_text() const {
    return has_link() ? fmt::format("{}/s", format_bytes(bandwidth)) : "one node";
  }
  std::string name() const { return fmt::format("{} ({})", run->name, link_text()); }
};

/// A point that all studies timed, in each of them, by their order.
struct SharedPoint {
  std::string name, curve;  ///< in tables, in figures
  std::vector<const SeriesPoint*> in;

  double milliseconds(std::size_t study) const {
    return 1000 * in[study]->rank_seconds_per_picture().communication;
  }
  double share(std::size_t study) const { return in[study]->shares().communication; }
};

/// From the fastest link to the slowest.
std::vector<Compared> by_link(const std::vector<StudyRun>& runs) {
  std::vector<Compared> all;
  for (const StudyRun& run : runs) {
    Compared one{.run = &run, .series = scale::series_of(run.rows)};
    const auto& start = run.starts.at(0);
    if (start.contains("between_nodes")) {
      one.latency = start["between_nodes"].at("latency_seconds");
      one.bandwidth = start["between_nodes"].at("bytes_per_second");
    }
    all.push_back(std::move(one));
  }
  std::ranges::stable_sort(all, {}, &Compared::seconds_per_megabyte);
  return all;
}

std::string name_of(const scale::Point& point, std::int64_t batch) {
  std::string name = fmt::format("{} scaling, batch {}{}, all-reduce {}, {} thread{} a rank, {} ranks",
                                 point.scaling, batch, point.scaling == "weak" ? " a rank" : "",
                                 point.all_reduce, point.threads, point.threads == 1 ? "" : "s", point.ranks);
  if (point.nodes > 1)
    name += fmt::format(" on {} nodes, {}", point.nodes, scale::placement_text(point.placement));
  return name;
}

/// Of trainings on several ranks. A point that belongs to the series of two placements counts once.
std::vector<SharedPoint> shared_points(const std::vector<Compared>& studies) {
  std::map<std::string, SharedPoint> found;
  for (std::size_t study = 0; study < studies.size(); ++study) {
    for (const Series& series : studies[study].series) {
      for (const SeriesPoint& point : series.points) {
        if (series.workload != "train" || point.ranks == 1) continue;
        SharedPoint& shared = found[name_of(point.rows[0].timing.point, series.batch)];
        shared.curve = fmt::format("{} {}, {}", series.scaling, series.batch, series.all_reduce);
        if (shared.in.size() == study) shared.in.push_back(&point);
      }
    }
  }
  std::vector<SharedPoint> shared;
  for (auto& [name, point] : found) {
    point.name = name;
    if (point.in.size() == studies.size()) shared.push_back(std::move(point));
  }
  return shared;
}

/// Whether each slower link exposes more of the all-reduce.
bool grows(const SharedPoint& point, const std::vector<Compared>& studies) {
  for (std::size_t i = 1; i < studies.size(); ++i) {
    const bool is_slower = studies[i].seconds_per_megabyte() > slower * studies[i - 1].seconds_per_megabyte();
    if (is_slower && point.milliseconds(i) <= point.milliseconds(i - 1)) return false;
  }
  return true;
}

std::string cost_text(const SharedPoint& point, std::size_t study) {
  return fmt::format("{:.1f} % of the time, {:.3g} rank-ms a picture", 100 * point.share(study),
                     point.milliseconds(study));
}

std::string words(const std::vector<SharedPoint>& points, const std::vector<Compared>& studies) {
  std::vector<std::string> links, against;
  for (const Compared& study : studies) links.push_back(study.name());
  const SharedPoint* most = nullptr;
  double growth = -std::numeric_limits<double>::infinity();
  std::size_t count = 0;
  for (const SharedPoint& point : points) {
    if (point.in[0]->nodes == 1) continue;
    ++count;
    if (!grows(point, studies)) against.push_back(point.name);
    const double gained = point.milliseconds(studies.size() - 1) - point.milliseconds(0);
    if (gained > growth) {
      growth = gained;
      most = &point;
    }
  }
  if (most == nullptr) return "The studies have no training on several nodes in common.";
  if (studies.back().seconds_per_megabyte() <= slower * studies[0].seconds_per_megabyte())
    return fmt::format("The links between nodes were much alike: {}.", fmt::join(links, ", "));
  std::string text =
      "As the links between nodes slow, from " + fmt::format("{}", fmt::join(links, " to ")) + ", ";
  text += against.empty()
              ? fmt::format("exposed communication grows at all {} points on several nodes.", count)
              : fmt::format("exposed communication grows at {} of {} points on several nodes; not at: {}.",
                            count - against.size(), count, fmt::join(against, "; "));
  return text + fmt::format(" It differs most at {}: {} in {}, {} in {}.", most->name, cost_text(*most, 0),
                            studies[0].run->name, cost_text(*most, studies.size() - 1),
                            studies.back().run->name);
}

Table table_of(const std::vector<SharedPoint>& points, const std::vector<Compared>& studies) {
  Table table{
      "Exposed communication: share of the wall clock, rank-milliseconds a picture (pictures/s, median)",
      {"point"},
      {}};
  for (const Compared& study : studies) table.header.push_back(study.name());
  for (const SharedPoint& point : points) {
    table.rows.push_back({point.name});
    for (std::size_t i = 0; i < studies.size(); ++i)
      table.rows.back().push_back(fmt::format("{:.1f} %, {:.3g} ({:.1f})", 100 * point.share(i),
                                              point.milliseconds(i),
                                              scale::median(point.in[i]->sample().throughputs)));
  }
  return table;
}

/// Exposed communication over the slowness of the link, at the most ranks.
void add_figure(Document& document, Plotter& plotter, const std::vector<SharedPoint>& points,
                const std::vector<Compared>& studies) {
  const auto ranks_of = [](const SharedPoint& point) { return point.in[0]->ranks; };
  const int most = ranks_of(*std::ranges::max_element(points, {}, ranks_of));
  LinePlot plot{"ms for a megabyte between nodes", "exposed, rank-ms a picture", {}, {}};
  for (const SharedPoint& point : points) {
    if (point.in[0]->nodes == 1 || ranks_of(point) < most) continue;
    Curve curve{.title = point.curve, .x = {}, .y = {}, .low = {}, .high = {}};
    for (std::size_t i = 0; i < studies.size(); ++i) {
      curve.x.push_back(1000 * studies[i].seconds_per_megabyte());
      curve.y.push_back(point.milliseconds(i));
    }
    plot.curves.push_back(std::move(curve));
  }
  if (plot.curves.empty()) return;
  if (const auto picture = plotter.draw(plot))
    document.add(
        Figure{fmt::format("What slower links between nodes expose of the all-reduce, on {} ranks.", most),
               *picture});
}

}  // namespace

void add_comparison(Document& document, Plotter& plotter, const std::vector<StudyRun>& runs) {
  if (runs.size() < 2) return;
  const std::vector<Compared> studies = by_link(runs);
  const std::vector<SharedPoint> points = shared_points(studies);
  document.add(Heading{2, "The scaling studies side by side"});
  document.add(Paragraph{words(points, studies)});
  if (points.empty()) return;
  add_figure(document, plotter, points, studies);
  document.add(table_of(points, studies));
}

}  // namespace whorl::report_app
