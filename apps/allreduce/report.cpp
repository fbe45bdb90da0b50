// SPDX-License-Identifier: BSD-3-Clause
#include "report.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "mpi/session.hpp"

namespace whorl::allreduce {
namespace {

double algorithm_bandwidth(const Measurement& row) {
  return static_cast<double>(row.bytes) / row.median();
}
double bus_bandwidth(const Measurement& row, int ranks) {
  return algorithm_bandwidth(row) * 2 * (ranks - 1) / ranks;
}

/// The median time of "mpi" at the same size over that of `row`; absent when "mpi" was not measured.
std::optional<double> ratio_to_mpi(const Measurement& row, std::span<const Measurement> rows) {
  const auto mpi = std::ranges::find_if(
      rows, [&](const Measurement& other) { return other.algorithm == "mpi" && other.bytes == row.bytes; });
  if (mpi == rows.end()) return std::nullopt;
  return mpi->median() / row.median();
}

std::string cost_text(const std::optional<collective::Cost>& cost) {
  return cost ? fmt::format("{} / {}", cost->steps, cost->bytes_sent) : "-";
}

nlohmann::json cost_json(const std::optional<collective::Cost>& cost) {
  if (!cost) return nullptr;
  return {{"steps", cost->steps}, {"bytes_sent", cost->bytes_sent}};
}

nlohmann::json row_json(const Measurement& row, std::span<const Measurement> rows, int ranks) {
  const auto [min, max] = std::ranges::minmax(row.seconds);
  const auto ratio = ratio_to_mpi(row, rows);
  return {{"algorithm", row.algorithm},
          {"bytes", row.bytes},
          {"computed", cost_json(row.computed)},
          {"counted", cost_json(row.counted)},
          {"seconds", row.seconds},
          {"seconds_min", min},
          {"seconds_median", row.median()},
          {"seconds_max", max},
          {"algorithm_bandwidth", algorithm_bandwidth(row)},
          {"bus_bandwidth", bus_bandwidth(row, ranks)},
          {"ratio_to_mpi", ratio ? nlohmann::json(*ratio) : nlohmann::json(nullptr)}};
}

}  // namespace

Setting gather_setting(const mpi::Communicator& comm, const Comparison& comparison) {
  Setting setting{comm.all_gather(mpi::host_name()), mpi::library_version(), comparison};
  setting.comparison.options.chunk_bytes = collective::chunk_bytes(comparison.options, comm);
  return setting;
}

void print_heading(const Setting& setting) {
  const std::set<std::string> hosts(setting.hosts.begin(), setting.hosts.end());
  fmt::print(
      "{} ranks on {} host{}, {}, {}, chunks of {} bytes, {} repeats; times are of the slowest rank, in "
      "microseconds, bandwidths in GB/s\n",
      setting.hosts.size(), hosts.size(), hosts.size() == 1 ? "" : "s", setting.mpi_library,
      to_string(setting.comparison.element), setting.comparison.options.chunk_bytes,
      setting.comparison.repeats);
  fmt::print("{:>10} {:<20} {:>10} {:>10} {:>10} {:>8} {:>8} {:>7}  {:<22} {:<22}\n", "bytes", "algorithm",
             "min", "median", "max", "algbw", "busbw", "vs mpi", "steps / bytes sent", "counted");
}

void print_rows(std::span<const Measurement> rows, int ranks) {
  for (const Measurement& row : rows) {
    const auto [min, max] = std::ranges::minmax(row.seconds);
    const auto ratio = ratio_to_mpi(row, rows);
    fmt::print("{:>10} {:<20} {:>10.1f} {:>10.1f} {:>10.1f} {:>8.3f} {:>8.3f} {:>7}  {:<22} {:<22}\n",
               row.bytes, row.algorithm, min * 1e6, row.median() * 1e6, max * 1e6,
               algorithm_bandwidth(row) / 1e9, bus_bandwidth(row, ranks) / 1e9,
               ratio ? fmt::format("{:.2f}x", *ratio) : "-", cost_text(row.computed), cost_text(row.counted));
  }
  std::fflush(stdout);
}

void write_json(const std::string& path, const Setting& setting, std::span<const Measurement> rows) {
  const int ranks = static_cast<int>(setting.hosts.size());
  nlohmann::json results = nlohmann::json::array();
  for (const Measurement& row : rows) results.push_back(row_json(row, rows, ranks));
  const nlohmann::json document = {{"ranks", ranks},
                                   {"hosts", setting.hosts},
                                   {"mpi_library", setting.mpi_library},
                                   {"type", to_string(setting.comparison.element)},
                                   {"chunk_bytes", setting.comparison.options.chunk_bytes},
                                   {"repeats", setting.comparison.repeats},
                                   {"units", {{"seconds", "s"}, {"bandwidth", "bytes/s"}}},
                                   {"results", results}};
  std::ofstream file(path);
  file << document.dump(2) << '\n';
  file.close();
  require(file.good(), "cannot write {}: {}", path, system_error_text(errno));
}

}  // namespace whorl::allreduce
