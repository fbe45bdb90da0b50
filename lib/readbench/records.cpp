// SPDX-License-Identifier: BSD-3-Clause
// CSV and JSON.
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "readbench/report.hpp"

namespace whorl::readbench {

namespace {

using nlohmann::json;

/// The columns of a row, in order; the CSV and the JSON have the same.
std::vector<std::pair<std::string, json>> columns(const Report& report, const Measurement& m) {
  const Configuration& c = m.configuration;
  const SourceName& source = report.study.sources[c.source];
  return {{"turn", m.turn},
          {"source", source.kind},
          {"path", source.path.string()},
          {"ranks", report.ranks()},
          {"batch", c.batch},
          {"batches", c.batches},
          {"repeat", m.repeat + 1},
          {"order", to_string(c.order)},
          {"cache", to_string(c.cache)},
          {"decode", c.decode},
          {"prefetch", c.prefetch},
          {"images", m.images},
          {"seconds", m.seconds},
          {"open_seconds", m.open_seconds},
          {"images_per_second", m.images_per_second()},
          {"stored_bytes", m.stored_bytes},
          {"decoded_bytes", m.decoded_bytes},
          {"rank_images_per_second_min", m.rank_rate.min},
          {"rank_images_per_second_mean", m.rank_rate.mean},
          {"rank_images_per_second_max", m.rank_rate.max},
          {"imbalance", m.imbalance},
          {"p50_seconds", m.p50},
          {"p90_seconds", m.p90},
          {"p99_seconds", m.p99},
          {"user_seconds", m.usage.user_seconds},
          {"system_seconds", m.usage.system_seconds},
          {"disk_bytes", m.usage.disk_bytes},
          {"major_faults", m.usage.major_faults},
          {"queue_seconds", m.usage.queue_seconds},
          {"stalls", m.stalls.count},
          {"stall_seconds", m.stalls.seconds},
          {"resident", m.resident},
          {"cache_as_asked", m.cache_as_asked()}};
}

/// Of a path, which may hold anything.
std::string quoted(const std::string& text) {
  std::string doubled;
  for (const char c : text) doubled.append(c == '"' ? 2 : 1, c);
  return '"' + doubled + '"';
}

json line_json(const Line& line) {
  return {{"slope", line.slope}, {"intercept", line.intercept}, {"r", line.r}, {"p", line.p}};
}

json group_json(const Report& report, const Group& group) {
  json averages = json::array(), regressions = json::array();
  for (const Average& a : group.averages)
    averages.push_back(
        {{"parameter", a.parameter}, {"value", a.value}, {"images_per_second", a.images_per_second}});
  for (const Regression& r : group.regressions) {
    json entry = line_json(r.line);
    entry["on"] = r.on;
    regressions.push_back(entry);
  }
  json time = line_json(group.time.line);
  time["slope_95"] = {group.time.slope.low, group.time.slope.high};
  time["intercept_95"] = {group.time.intercept.low, group.time.intercept.high};
  return {{"source", source_label(report.study.sources, group.condition.source)},
          {"condition", describe(group.condition)},
          {"images_per_second_median", group.median_rate},
          {"images_per_second_min", group.lowest_rate},
          {"images_per_second_max", group.highest_rate},
          {"p50_seconds_median", group.median_p50},
          {"p99_seconds_median", group.median_p99},
          {"cpu_share", group.cpu_share},
          {"queue_share", group.queue_share},
          {"disk_share", group.disk_share},
          {"copy_share", group.copy_share},
          {"seconds_of_images", time},
          {"averages", averages},
          {"regressions_of_images_per_second", regressions}};
}

}  // namespace

std::string format_csv(const Report& report) {
  std::string text;
  for (const Measurement& measurement : report.measurements) {
    const auto row = columns(report, measurement);
    std::vector<std::string> names, values;
    for (const auto& [name, value] : row) {
      names.push_back(name);
      values.push_back(value.is_string() ? quoted(value.get<std::string>()) : value.dump());
    }
    if (text.empty()) text = fmt::format("{}\n", fmt::join(names, ","));
    text += fmt::format("{}\n", fmt::join(values, ","));
  }
  return text;
}

std::string format_json(const Report& report) {
  json sources = json::array(), rows = json::array(), groups = json::array();
  for (std::size_t i = 0; i < report.facts.size(); ++i)
    sources.push_back({{"kind", report.study.sources[i].kind},
                       {"path", report.study.sources[i].path.string()},
                       {"images", report.facts[i].images},
                       {"bytes", report.facts[i].bytes},
                       {"files", report.facts[i].files},
                       {"fits_in_memory", report.facts[i].fits_in_memory}});
  for (const Measurement& measurement : report.measurements) {
    json row = json::object();
    for (auto& [name, value] : columns(report, measurement)) row[name] = value;
    rows.push_back(row);
  }
  for (const Group& group : report.groups) groups.push_back(group_json(report, group));
  const json document = {{"command", report.command},
                         {"ranks", report.ranks()},
                         {"hosts", report.hosts},
                         {"mpi", report.mpi_library},
                         {"seed", report.study.seed},
                         {"copy_bytes_per_second", report.copy_bandwidth},
                         {"sources", sources},
                         {"groups", groups},
                         {"conclusions", report.conclusions},
                         {"rows", rows}};
  return document.dump(1) + "\n";
}

}  // namespace whorl::readbench
