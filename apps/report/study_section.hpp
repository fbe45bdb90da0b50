// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "document.hpp"
#include "plot.hpp"
#include "scale/rows.hpp"

namespace whorl::report_app {

/// The folder of a scaling study.
struct StudyRun {
  std::filesystem::path folder;
  std::string name;
  nlohmann::ordered_json starts;  ///< starts.json
  std::string rows_text;          ///< rows.csv
  std::vector<scale::Row> rows;
};
StudyRun read_study_run(const std::filesystem::path& folder);

/// What ran where; of every series throughput, efficiency, fits, time split and reasons; strategies compared.
void add_section(Document& document, Plotter& plotter, const StudyRun& run, const std::string& link);

}  // namespace whorl::report_app
