// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "document.hpp"
#include "plot.hpp"

namespace whorl::report_app {

/// The folder of a reading study (whorl-readbench --output).
struct ReadingRun {
  std::filesystem::path folder;
  std::string name;
  nlohmann::ordered_json record;               ///< report.json
  std::string rows_text;                       ///< rows.csv
  std::vector<std::filesystem::path> figures;  ///< gnuplot scripts
};
ReadingRun read_reading_run(const std::filesystem::path& folder);

/// What was read where, conclusions, figures, speed of every source and condition, fits and regressions.
void add_section(Document& document, Plotter& plotter, const ReadingRun& run, const std::string& link);

}  // namespace whorl::report_app
