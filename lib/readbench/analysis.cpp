// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/analysis.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace whorl::readbench {

namespace {

using Parameter = std::function<double(const Measurement&)>;
struct NamedParameter {
  std::string name;
  Parameter value;
};

std::vector<NamedParameter> parameters() {
  return {{"batch", [](const Measurement& m) { return static_cast<double>(m.configuration.batch); }},
          {"batches", [](const Measurement& m) { return static_cast<double>(m.configuration.batches); }},
          {"batch x batches",
           [](const Measurement& m) {
             return static_cast<double>(m.configuration.batch) * m.configuration.batches;
           }},
          {"repeat", [](const Measurement& m) { return static_cast<double>(m.repeat + 1); }}};
}

double rate(const Measurement& measurement) {
  return measurement.images_per_second();
}

std::vector<double> values_of(std::span<const Measurement> measurements, const Parameter& value) {
  std::vector<double> values;
  for (const Measurement& measurement : measurements) values.push_back(value(measurement));
  return values;
}

std::vector<Average> averages_of(std::span<const Measurement> measurements) {
  std::vector<Average> averages;
  for (const NamedParameter& parameter : parameters()) {
    if (parameter.name == "batch x batches") continue;
    std::map<double, std::vector<double>> rates;
    for (const Measurement& m : measurements) rates[parameter.value(m)].push_back(rate(m));
    for (const auto& [value, of_value] : rates)
      averages.push_back({parameter.name, static_cast<int>(value), mean(of_value)});
  }
  return averages;
}

double share_of_copying(std::span<const Measurement> measurements, double copy_bandwidth) {
  return mean(values_of(measurements, [&](const Measurement& m) {
    const bool both = m.decoded_bytes > 0 && m.decoded_bytes != m.stored_bytes;
    return (m.stored_bytes_per_second() + (both ? m.decoded_bytes_per_second() : 0)) / copy_bandwidth;
  }));
}

Group analyse_group(const Condition& condition, std::vector<Measurement> measurements, int ranks,
                    double copy_bandwidth, std::uint64_t seed) {
  Group group{.condition = condition, .measurements = std::move(measurements)};
  const std::span<const Measurement> all = group.measurements;
  const std::vector<double> rates = values_of(all, rate);
  group.median_rate = median(rates);
  group.lowest_rate = std::ranges::min(rates);
  group.highest_rate = std::ranges::max(rates);
  group.median_p50 = median(values_of(all, [](const Measurement& m) { return m.p50; }));
  group.median_p99 = median(values_of(all, [](const Measurement& m) { return m.p99; }));
  group.averages = averages_of(all);
  group.time =
      fit_with_intervals(values_of(all, [](const Measurement& m) { return static_cast<double>(m.images); }),
                         values_of(all, [](const Measurement& m) { return m.seconds; }), seed);
  for (const NamedParameter& parameter : parameters()) {
    const std::vector<double> values = values_of(all, parameter.value);
    if (std::ranges::min(values) < std::ranges::max(values))
      group.regressions.push_back({parameter.name, fit_line(values, rates)});
  }
  group.cpu_share = mean(values_of(all, [&](const Measurement& m) { return m.cpu_share(ranks); }));
  group.queue_share = mean(values_of(all, [&](const Measurement& m) { return m.queue_share(ranks); }));
  group.disk_share = mean(values_of(all, [](const Measurement& m) {
    return static_cast<double>(m.usage.disk_bytes) / static_cast<double>(m.stored_bytes);
  }));
  group.copy_share = share_of_copying(all, copy_bandwidth);
  return group;
}

}  // namespace

Condition condition_of(const Configuration& c) {
  return {c.source, c.order, c.cache, c.decode, c.prefetch};
}

std::string describe(const Condition& condition) {
  std::string text = fmt::format("{}, {}, {}", to_string(condition.cache), to_string(condition.order),
                                 condition.decode ? "decoded" : "stored bytes");
  if (condition.prefetch > 0) text += fmt::format(", {} ahead", condition.prefetch);
  return text;
}

std::vector<Group> analyse(std::span<const Measurement> measurements, int ranks, double copy_bandwidth,
                           std::uint64_t seed) {
  std::map<Condition, std::vector<Measurement>> by_condition;
  for (const Measurement& measurement : measurements)
    by_condition[condition_of(measurement.configuration)].push_back(measurement);
  std::vector<Group> groups;
  for (auto& [condition, of_condition] : by_condition)
    groups.push_back(analyse_group(condition, std::move(of_condition), ranks, copy_bandwidth, seed));
  return groups;
}

}  // namespace whorl::readbench
