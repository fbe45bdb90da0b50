// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "document.hpp"
#include "plot.hpp"

namespace whorl::report_app {

/// A line of metrics.csv; test figures are NaN where the epoch was not evaluated.
struct Epoch {
  double epoch = 0, train_loss = 0, train_top1 = 0, test_loss = 0, test_top1 = 0, images_per_second = 0,
         seconds = 0;
};

/// The folder of a training run.
struct TrainingRun {
  std::filesystem::path folder;
  std::string name;
  nlohmann::ordered_json record, timing;  ///< run.json, timing.json
  std::string metrics, verdict;
  std::vector<Epoch> epochs;
};
TrainingRun read_training_run(const std::filesystem::path& folder);

/// What ran where, curves, and the phases of every rank.
void add_section(Document& document, Plotter& plotter, const TrainingRun& run, const std::string& link);
/// Accuracy, speed and strategy of all runs side by side; nothing for one.
void add_comparison(Document& document, Plotter& plotter, const std::vector<TrainingRun>& runs);

/// The hosts, CPUs and versions in a run.json or a start of a study.
void add_place(Document& document, const nlohmann::ordered_json& record);

}  // namespace whorl::report_app
