// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "readbench/analysis.hpp"

namespace whorl::readbench {

/// What was measured where.
struct Report {
  Study study;
  std::vector<std::string> hosts;  ///< by rank
  std::string mpi_library;
  std::string command{};
  double copy_bandwidth = 0;  ///< bytes/s, of all ranks together
  std::vector<SourceFacts> facts{};
  std::vector<Measurement> measurements{};
  std::vector<Group> groups{};
  std::vector<std::string> conclusions{};
  int ranks() const { return static_cast<int>(hosts.size()); }
};

/// For a terminal: sources, a line a group, conclusions.
std::string format_summary(const Report& report);
/// Averages, fits and regressions.
std::string format_details(const Report& report);
/// One line a turn, nothing averaged.
std::string format_csv(const Report& report);
/// Everything, raw rows included.
std::string format_json(const Report& report);

/// Writes gnuplot scripts with their data into `folder` and draws them as SVG: images/s over the batch size,
/// cold against warm, and time over images with its fit. Returns the figures drawn; none where gnuplot is not
/// installed.
std::vector<std::filesystem::path> draw_figures(const Report& report, const std::filesystem::path& folder);

}  // namespace whorl::readbench
