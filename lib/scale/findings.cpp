// SPDX-License-Identifier: BSD-3-Clause
#include "scale/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace whorl::scale {

namespace {

constexpr double most_uncertainty = 0.5;  // width of the interval of an efficiency that explain() trusts

constexpr std::array<std::pair<const char*, double Split::*>, 5> parts{
    {{"compute", &Split::compute},
     {"communication", &Split::communication},
     {"input", &Split::input},
     {"waiting", &Split::waiting},
     {"other", &Split::other}}};

std::string meaning_of(const std::string& part, const std::string& workload) {
  if (part == "communication") return "communication that computation does not hide (exposed all-reduce)";
  const bool reads = workload.starts_with("read");
  if (part == "input") {
    if (reads) return "reading itself: ranks that share the file system, the disk or the memory bus";
    return workload == "ingest" ? "scanning and reading the source" : "waiting for pictures";
  }
  if (part == "waiting" && reads) return "waiting for the rank that reads longest (imbalance)";
  if (part == "waiting") return "waiting for the slowest rank or thread of each step (imbalance)";
  if (part == "compute") {
    return "computing itself: ranks that share memory bandwidth, caches and clock, or smaller parts of a "
           "batch, make the same work slower";
  }
  return workload == "ingest"
             ? "writing and finishing the file"
             : "what is in no phase: set-up of epochs, comparing weights, and waiting in them";
}

double gain(const Sample& from, const Sample& to) {
  const double speedup = median(to.throughputs) / median(from.throughputs);
  const double possible = static_cast<double>(to.ranks) / from.ranks;
  return (speedup - 1) / (possible - 1);
}

std::string point_line(const SeriesPoint& point, const Efficiency& efficiency) {
  const Split shares = point.shares();
  return fmt::format("  {:>6} {:>6} {:>12.1f}  {:<28}{:>7.1f} %{:>9.1f} %{:>7.1f} %{:>9.1f} %{:>7.1f} %\n",
                     point.ranks, point.nodes, median(point.sample().throughputs),
                     with_interval(efficiency.value, efficiency.interval, 3), 100 * shares.compute,
                     100 * shares.communication, 100 * shares.input, 100 * shares.waiting,
                     100 * shares.other);
}

std::string parameter_text(const Parameter& parameter) {
  return fmt::format("{} = {}", parameter.name,
                     with_interval(parameter.value, parameter.interval, parameter.name == "x1" ? 1 : 4));
}

}  // namespace

std::optional<std::size_t> stops_at(const std::vector<Sample>& samples) {
  for (std::size_t i = 1; i < samples.size(); ++i) {
    if (gain(samples[i - 1], samples[i]) < least_gain) return i;
  }
  return std::nullopt;
}

Reason reason_between(const SeriesPoint& from, const SeriesPoint& to) {
  const Split before = from.rank_seconds_per_picture(), after = to.rank_seconds_per_picture();
  Reason reason;
  double all = 0, most = 0;
  for (const auto& [name, part] : parts) {
    const double growth = std::max(0.0, after.*part - before.*part);
    all += growth;
    if (growth > most) {
      most = growth;
      reason.part = name;
    }
  }
  if (all > 0) reason.share = most / all;
  return reason;
}

std::string explain(const Series& series) {
  const std::vector<Sample> samples = series.samples();
  if (samples.size() < 2) return "Measured on one number of ranks only: nothing can be said about scaling.";
  const auto stop = stops_at(samples);
  const std::size_t last = stop.value_or(samples.size() - 1);
  const SeriesPoint &from = series.points[stop ? last - 1 : 0], &to = series.points[last];
  const double reached = gain(from.sample(), to.sample());
  std::string text = stop ? fmt::format("It stops scaling at {} ranks: ", to.ranks)
                          : fmt::format("It scales up to the {} ranks measured: ", to.ranks);
  text += reached < 0 ? fmt::format("they do less than {}.", from.ranks)
                      : fmt::format("over {}, they bring {:.0f} % of what they could bring.", from.ranks,
                                    100 * reached);
  if (const auto interval = efficiencies(samples, 1)[last].interval;
      interval && interval->high - interval->low > most_uncertainty) {
    text += fmt::format(
        " The repeats differ so much that this is not certain: the efficiency lies between {:.2f} and "
        "{:.2f}.",
        interval->low, interval->high);
  }
  const Reason reason = reason_between(from, to);
  if (reached >= 1 || reason.part.empty()) return text + " Nothing is lost.";
  return text + fmt::format(" Of the rank time that a picture then costs more, {:.0f} % is {}.",
                            100 * reason.share, meaning_of(reason.part, series.workload));
}

std::string with_interval(double value, const std::optional<Interval>& interval, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (interval)
    text += fmt::format(" ({:.{}f} to {:.{}f})", interval->low, decimals, interval->high, decimals);
  return text;
}

std::string fit_text(const Fit& fit) {
  if (!fit.failure.empty()) return fit.failure;
  std::string text = fmt::format("{}: {}", fit.law, fit.formula);
  for (const Parameter& parameter : fit.parameters) text += ", " + parameter_text(parameter);
  const auto worst = std::max_element(fit.residuals.begin(), fit.residuals.end(),
                                      [](double a, double b) { return std::abs(a) < std::abs(b); });
  text += fmt::format("; largest residual {:+.1f} %", 100 * *worst);
  if (fit.exact_by_count) text += ", which tests nothing with as many parameters as numbers of ranks";
  if (const auto peak = fit.law == "USL" ? peak_ranks(fit) : std::nullopt)
    text += fmt::format("; most throughput at {:.0f} ranks", *peak);
  return text;
}

std::string findings_text(const std::vector<Row>& rows) {
  std::string text;
  for (const Series& series : series_of(rows)) {
    text += fmt::format("{}\n  {:>6} {:>6} {:>12}  {:<28}{:>9}{:>11}{:>9}{:>11}{:>9}\n", series.title(),
                        "ranks", "nodes", "pictures/s", "efficiency (95 %)", "compute", "exposed", "input",
                        "waiting", "other");
    const std::vector<Efficiency> efficiency = efficiencies(series.samples(), 1);
    for (std::size_t i = 0; i < series.points.size(); ++i)
      text += point_line(series.points[i], efficiency[i]);
    for (const Fit& fit : series.fits()) text += "  " + fit_text(fit) + "\n";
    text += "  " + explain(series) + "\n\n";
  }
  return text;
}

}  // namespace whorl::scale
