// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/progress.hpp"
#include "readbench/report.hpp"

namespace whorl::readbench {

namespace {

/// "12.3 us".
std::string short_time(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.1f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.2f} ms", seconds * 1e3);
  return fmt::format("{:.2f} s", seconds);
}

std::string rate_in_megabytes(const Group& group, std::int64_t Measurement::*bytes) {
  std::vector<double> rates;
  for (const Measurement& m : group.measurements)
    rates.push_back(static_cast<double>(m.*bytes) / m.seconds / 1e6);
  return fmt::format("{:.0f}", median(rates));
}

std::string sources_table(const Report& report) {
  std::string text;
  for (std::size_t i = 0; i < report.facts.size(); ++i) {
    const SourceFacts& facts = report.facts[i];
    text +=
        fmt::format("  {:<8} {}: {} images, {} in {} file{}{}\n", report.study.sources[i].kind,
                    report.study.sources[i].path.string(), facts.images,
                    format_bytes(static_cast<double>(facts.bytes)), facts.files, facts.files == 1 ? "" : "s",
                    facts.fits_in_memory ? "; fits in memory" : "; larger than the memory available");
  }
  return text;
}

std::string groups_table(const Report& report) {
  std::string text = fmt::format(
      "{:<9} {:<36} {:>9} {:>19} {:>8} {:>8} {:>9} {:>9} {:>5} {:>5} {:>5} {:>5}\n", "source", "condition",
      "images/s", "lowest to highest", "MB/s", "decoded", "p50", "p99", "CPU", "queue", "disk", "copy");
  for (const Group& group : report.groups)
    text += fmt::format(
        "{:<9} {:<36} {:>9.0f} {:>19} {:>8} {:>8} {:>9} {:>9} {:>4.0f}% {:>4.0f}% {:>4.0f}% {:>4.0f}%\n",
        source_label(report.study.sources, group.condition.source), describe(group.condition),
        group.median_rate, fmt::format("{:.0f} to {:.0f}", group.lowest_rate, group.highest_rate),
        rate_in_megabytes(group, &Measurement::stored_bytes),
        rate_in_megabytes(group, &Measurement::decoded_bytes), short_time(group.median_p50),
        short_time(group.median_p99), group.cpu_share * 100, group.queue_share * 100, group.disk_share * 100,
        group.copy_share * 100);
  return text;
}

std::string averages_table(const Report& report) {
  std::string text;
  for (const Group& group : report.groups) {
    text += fmt::format("  {:<9} {}:", source_label(report.study.sources, group.condition.source),
                        describe(group.condition));
    std::string parameter;
    for (const Average& average : group.averages) {
      if (average.parameter != parameter) text += fmt::format("  {}", parameter = average.parameter);
      text += fmt::format(" {}: {:.0f}", average.value, average.images_per_second);
    }
    text += "\n";
  }
  return text;
}

std::string fits_table(const Report& report) {
  std::string text = fmt::format("{:<9} {:<36} {:<34} {:<36} {:>6}\n", "source", "condition",
                                 "a: what beginning costs, ms", "1/b: images/s", "r");
  for (const Group& group : report.groups) {
    const FittedLine& time = group.time;
    text += fmt::format("{:<9} {:<36} {:<34} {:<36} {:>6.3f}\n",
                        source_label(report.study.sources, group.condition.source), describe(group.condition),
                        fmt::format("{:.2f} ({:.2f} to {:.2f})", time.line.intercept * 1e3,
                                    time.intercept.low * 1e3, time.intercept.high * 1e3),
                        fmt::format("{:.0f} ({:.0f} to {:.0f})", 1 / time.line.slope, 1 / time.slope.high,
                                    1 / time.slope.low),
                        time.line.r);
  }
  return text;
}

std::string regressions_table(const Report& report) {
  std::string text = fmt::format("{:<9} {:<36} {:<16} {:>12} {:>12} {:>7} {:>9}\n", "source", "condition",
                                 "images/s on", "slope", "intercept", "r", "p");
  for (const Group& group : report.groups)
    for (const Regression& regression : group.regressions)
      text += fmt::format("{:<9} {:<36} {:<16} {:>12.4g} {:>12.4g} {:>7.3f} {:>9.2g}\n",
                          source_label(report.study.sources, group.condition.source),
                          describe(group.condition), regression.on, regression.line.slope,
                          regression.line.intercept, regression.line.r, regression.line.p);
  return text;
}

std::string cache_notes(const Report& report) {
  const auto wrong =
      std::ranges::count_if(report.measurements, [](const Measurement& m) { return !m.cache_as_asked(); });
  if (wrong == 0)
    return "The page cache was cold or warm as asked for in every turn (mincore, /proc/self/io).\n";
  return fmt::format(
      "The page cache was NOT as asked for in {} of {} turns (mincore, /proc/self/io; cache_as_asked in "
      "the rows): what is mapped or lies on a file system in memory cannot be dropped, and memory keeps no "
      "more than it holds.\n",
      wrong, report.measurements.size());
}

}  // namespace

std::string format_summary(const Report& report) {
  const std::set<std::string> hosts(report.hosts.begin(), report.hosts.end());
  std::string text = fmt::format(
      "{} ranks on {} host{}, {}; memory is copied at {}/s by all ranks together\n", report.ranks(),
      hosts.size(), hosts.size() == 1 ? "" : "s", report.mpi_library, format_bytes(report.copy_bandwidth));
  text += sources_table(report);
  text +=
      "\nMedians over batch sizes, numbers of batches and repetitions. MB/s: stored bytes, and pixels "
      "after decoding; p50, p99: of a picture;\nCPU, queue: shares of the ranks' time, computing and "
      "waiting for a processor; disk: bytes it gave per stored byte read;\ncopy: share of what memory can "
      "copy\n";
  text += groups_table(report) + cache_notes(report) + "\nConclusions\n";
  for (const std::string& line : report.conclusions) text += "  " + line + "\n";
  return text;
}

std::string format_details(const Report& report) {
  return "\nAverages of images/s per value of a parameter\n" + averages_table(report) +
         "\nseconds = a + b * images, least squares over all turns, 95 % bootstrap intervals\n" +
         fits_table(report) + "\nThe original's regressions, one parameter at a time\n" +
         regressions_table(report);
}

}  // namespace whorl::readbench
