// SPDX-License-Identifier: BSD-3-Clause
#include "study_section.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/file_system.hpp"
#include "report/json.hpp"
#include "scale/findings.hpp"
#include "scale/series.hpp"
#include "training_section.hpp"

namespace whorl::report_app {

namespace {

using scale::Series, scale::SeriesPoint;
namespace fs = std::filesystem;

std::string percent(double share) {
  return fmt::format("{:.1f} %", 100 * share);
}

double median_throughput(const SeriesPoint& point) {
  return scale::median(point.sample().throughputs);
}

Curve measured_curve(const Series& series) {
  Curve curve{.title = "measured: median, least to most", .x = {}, .y = {}, .low = {}, .high = {}};
  for (const SeriesPoint& point : series.points) {
    const std::vector<double> all = point.sample().throughputs;
    curve.x.push_back(point.ranks);
    curve.y.push_back(median_throughput(point));
    curve.low.push_back(*std::min_element(all.begin(), all.end()));
    curve.high.push_back(*std::max_element(all.begin(), all.end()));
  }
  return curve;
}

Curve fitted_curve(const scale::Fit& fit, const Series& series) {
  Curve curve{.title = fit.law, .x = {}, .y = {}, .low = {}, .high = {}};
  const int first = series.points.front().ranks, last = series.points.back().ranks;
  constexpr int most_points = 500;
  for (int ranks = first; ranks <= last; ranks += 1 + (last - first) / most_points) {
    curve.x.push_back(ranks);
    curve.y.push_back(fit.throughput(ranks));
  }
  return curve;
}

void add_throughput_figure(Document& document, Plotter& plotter, const Series& series,
                           const std::vector<scale::Fit>& fits) {
  const double first = median_throughput(series.points[0]) / series.points[0].ranks;
  Curve ideal{.title = "ideal", .x = {}, .y = {}, .low = {}, .high = {}, .dashed = true};
  for (const SeriesPoint& point : series.points) {
    ideal.x.push_back(point.ranks);
    ideal.y.push_back(first * point.ranks);
  }
  LinePlot plot{"ranks", "pictures/s", {measured_curve(series), ideal}, ideal.x};
  for (const scale::Fit& fit : fits) {
    if (fit.failure.empty()) plot.curves.push_back(fitted_curve(fit, series));
  }
  if (const auto picture = plotter.draw(plot)) document.add(Figure{"Throughput.", *picture});
}

void add_efficiency_figure(Document& document, Plotter& plotter,
                           const std::vector<scale::Efficiency>& efficiencies) {
  Curve curve{.title = "efficiency, 95 % interval", .x = {}, .y = {}, .low = {}, .high = {}};
  for (const scale::Efficiency& one : efficiencies) {
    curve.x.push_back(one.ranks);
    curve.y.push_back(one.value);
    curve.low.push_back(one.interval ? one.interval->low : one.value);
    curve.high.push_back(one.interval ? one.interval->high : one.value);
  }
  if (const auto picture = plotter.draw(LinePlot{"ranks", "efficiency", {curve}, curve.x}))
    document.add(
        Figure{"Efficiency: throughput of a rank over that at the smallest number of ranks.", *picture});
}

void add_split_figure(Document& document, Plotter& plotter, const Series& series) {
  StackedBars bars{.y_label = "rank-milliseconds a picture",
                   .bars = {},
                   .parts = {"compute", "exposed communication", "input", "waiting", "other"},
                   .heights = std::vector<std::vector<double>>(5)};
  for (const SeriesPoint& point : series.points) {
    bars.bars.push_back(fmt::format("{} rank{}", point.ranks, point.ranks == 1 ? "" : "s"));
    const scale::Split split = point.rank_seconds_per_picture();
    const double parts[] = {split.compute, split.communication, split.input, split.waiting, split.other};
    for (std::size_t i = 0; i < std::size(parts); ++i) bars.heights[i].push_back(1000 * parts[i]);
  }
  if (const auto picture = plotter.draw(bars))
    document.add(Figure{"What a picture costs all ranks together; level bars scale ideally.", *picture});
}

Table points_table(const Series& series, const std::vector<scale::Efficiency>& efficiencies) {
  Table table{"Points",
              {"ranks", "nodes", "timings", "pictures/s, median", "efficiency (95 %)", "compute",
               "exposed communication", "input", "waiting", "other", "all-reduce", "all-reduce steps",
               "all-reduce bytes"},
              {}};
  const auto text = [](const std::optional<std::int64_t>& value) {
    return value ? fmt::format("{}", *value) : std::string("-");
  };
  for (std::size_t i = 0; i < series.points.size(); ++i) {
    const SeriesPoint& point = series.points[i];
    const scale::Split shares = point.shares();
    std::set<std::string> ran;
    for (const scale::Row& row : point.rows) ran.insert(row.all_reduce_ran);
    table.rows.push_back(
        {fmt::format("{}", point.ranks), fmt::format("{}", point.nodes), fmt::format("{}", point.rows.size()),
         fmt::format("{:.1f}", median_throughput(point)),
         scale::with_interval(efficiencies[i].value, efficiencies[i].interval, 3), percent(shares.compute),
         percent(shares.communication), percent(shares.input), percent(shares.waiting), percent(shares.other),
         fmt::format("{}", fmt::join(ran, ", ")), text(point.rows[0].all_reduce_steps),
         text(point.rows[0].all_reduce_bytes)});
  }
  return table;
}

void add_fits(Document& document, const std::vector<scale::Fit>& fits, const Series& series) {
  Table table{"Residuals of the fits: mean measured throughput over the fitted", {"law"}, {}};
  for (const SeriesPoint& point : series.points)
    table.header.push_back(fmt::format("{} rank{}", point.ranks, point.ranks == 1 ? "" : "s"));
  for (const scale::Fit& fit : fits) {
    document.add(Paragraph{scale::fit_text(fit) + "."});
    if (!fit.failure.empty()) continue;
    table.rows.push_back({fit.law});
    for (const double residual : fit.residuals)
      table.rows.back().push_back(fmt::format("{:+.2f} %", 100 * residual));
  }
  if (!table.rows.empty()) document.add(table);
}

void add_series(Document& document, Plotter& plotter, const Series& series) {
  document.add(Heading{3, series.title()});
  document.add(Paragraph{scale::explain(series)});
  const auto efficiencies = scale::efficiencies(series.samples(), 1);
  const std::vector<scale::Fit> fits = series.fits();
  if (series.points.size() > 1) {
    add_throughput_figure(document, plotter, series, fits);
    add_efficiency_figure(document, plotter, efficiencies);
    add_split_figure(document, plotter, series);
  }
  document.add(points_table(series, efficiencies));
  add_fits(document, fits, series);
}

Table summary_table(const std::vector<Series>& all) {
  Table table{"In short, at the most ranks",
              {"series", "ranks", "nodes", "pictures/s, median", "efficiency (95 %)", "scales"},
              {}};
  for (const Series& series : all) {
    const std::vector<scale::Sample> samples = series.samples();
    const SeriesPoint& last = series.points.back();
    const scale::Efficiency efficiency = scale::efficiencies(samples, 1).back();
    const auto stop = scale::stops_at(samples);
    table.rows.push_back({series.title(), fmt::format("{}", last.ranks), fmt::format("{}", last.nodes),
                          fmt::format("{:.1f}", median_throughput(last)),
                          scale::with_interval(efficiency.value, efficiency.interval, 3),
                          stop ? fmt::format("stops at {} ranks", samples[*stop].ranks)
                               : fmt::format("up to the {} measured", last.ranks)});
  }
  return table;
}

/// A point without its all-reduce.
using Setting = std::tuple<std::string, std::string, std::int64_t, int, int>;

void add_strategies(Document& document, const std::vector<Series>& all) {
  std::map<Setting, std::map<std::string, const SeriesPoint*>> settings;
  std::set<std::string> strategies;
  for (const Series& series : all) {
    if (series.workload != "train") continue;
    strategies.insert(series.all_reduce);
    for (const SeriesPoint& point : series.points)
      settings[{series.scaling, series.placement, series.batch, series.threads, point.ranks}]
              [series.all_reduce] = &point;
  }
  if (strategies.size() < 2) return;
  document.add(Heading{3, "Strategies compared"});
  Table table{"Training, pictures/s (median) and exposed communication of each all-reduce", {"point"}, {}};
  for (const std::string& strategy : strategies) table.header.push_back(strategy);
  table.header.push_back("fastest");
  for (const auto& [setting, points] : settings) {
    const auto& [scaling, placement, batch, threads, ranks] = setting;
    table.rows.push_back({fmt::format(
        "{}, {}, batch {}{}, {} thread{}, {} rank{}", scaling, scale::placement_text(placement), batch,
        scaling == "weak" ? " a rank" : "", threads, threads == 1 ? "" : "s", ranks, ranks == 1 ? "" : "s")});
    std::string fastest = "-";
    double most = 0;
    for (const std::string& strategy : strategies) {
      const auto found = points.find(strategy);
      table.rows.back().push_back(found == points.end()
                                      ? "-"
                                      : fmt::format("{:.1f}, {}", median_throughput(*found->second),
                                                    percent(found->second->shares().communication)));
      if (found != points.end() && median_throughput(*found->second) > most) {
        most = median_throughput(*found->second);
        fastest = strategy;
      }
    }
    table.rows.back().push_back(ranks == 1 ? "nothing to sum" : fastest);
  }
  document.add(table);
}

}  // namespace

StudyRun read_study_run(const fs::path& folder) {
  StudyRun run{
      .folder = folder, .name = folder.filename().string(), .starts = {}, .rows_text = {}, .rows = {}};
  run.rows_text = read_text_file(folder / "rows.csv");
  run.rows = scale::parse_rows(run.rows_text, (folder / "rows.csv").string());
  run.starts = report::read_json(folder / "starts.json");
  return run;
}

void add_section(Document& document, Plotter& plotter, const StudyRun& run, const std::string& link) {
  report::look_into_records(run.folder, [&] {
    document.add(Heading{2, "Scaling study " + run.name});
    document.add(Paragraph{fmt::format("{} timings, in {} start{}, the first at {}.", run.rows.size(),
                                       run.starts.size(), run.starts.size() == 1 ? "" : "s",
                                       run.starts.at(0).value("started", "-"))});
    const std::vector<Series> all = scale::series_of(run.rows);
    document.add(summary_table(all));
    add_place(document, run.starts.back());
    for (const Series& series : all) add_series(document, plotter, series);
    add_strategies(document, all);
    document.add(RawData{link + "/rows.csv", run.rows_text});
    document.add(RawData{link + "/starts.json", run.starts.dump(1)});
    document.add(RawData{link + "/study.ini", read_text_file(run.folder / "study.ini")});
  });
}

}  // namespace whorl::report_app
