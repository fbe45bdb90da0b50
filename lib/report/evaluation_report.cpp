// SPDX-License-Identifier: BSD-3-Clause
#include "report/evaluation_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

namespace whorl::report {

namespace {

constexpr int most_classes_printed = 25;

/// Counts of the pictures of class `label`, by prediction.
std::span<const std::int64_t> row_of(const train::Evaluation& evaluation, int label) {
  const std::size_t classes = static_cast<std::size_t>(evaluation.classes);
  return std::span(evaluation.confusion).subspan(static_cast<std::size_t>(label) * classes, classes);
}

std::int64_t total(std::span<const std::int64_t> counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

std::string confusion_text(const train::Evaluation& evaluation) {
  const std::int64_t largest = *std::max_element(evaluation.confusion.begin(), evaluation.confusion.end());
  const std::size_t width = std::max(fmt::format("{}", largest).size(), std::size_t{2}) + 2;
  std::string text = "\nconfusion: a row for each class, a column for each prediction\n     ";
  for (int c = 0; c < evaluation.classes; ++c) text += fmt::format("{:>{}}", c, width);
  for (int c = 0; c < evaluation.classes; ++c) {
    text += fmt::format("\n{:>3}  ", c);
    for (const std::int64_t count : row_of(evaluation, c)) text += fmt::format("{:>{}}", count, width);
  }
  return text + "\n";
}

}  // namespace

std::string evaluation_text(const train::Evaluation& evaluation,
                            const std::vector<std::string>& class_names) {
  std::size_t name_width = 5;
  for (const std::string& name : class_names) name_width = std::max(name_width, name.size());
  std::string text =
      fmt::format("top-1 {:.2f} % ({} of {} pictures), loss {:.4f}\n\n", 100 * evaluation.top1(),
                  evaluation.correct(), evaluation.samples, evaluation.loss);
  for (int c = 0; c < evaluation.classes; ++c) {
    const auto row = row_of(evaluation, c);
    const std::int64_t right = row[static_cast<std::size_t>(c)], all = total(row);
    const std::string share =
        all > 0 ? fmt::format("{:.2f} %", 100.0 * static_cast<double>(right) / static_cast<double>(all))
                : "-";
    text += fmt::format("{:>3}  {:<{}}  {:>8}  {:>7} of {}\n", c, class_names[static_cast<std::size_t>(c)],
                        name_width, share, right, all);
  }
  if (evaluation.classes > most_classes_printed)
    return text + "\nthe confusion matrix of so many classes is for --json FILE\n";
  return text + confusion_text(evaluation);
}

std::string evaluation_json(const train::Evaluation& evaluation,
                            const std::vector<std::string>& class_names) {
  nlohmann::ordered_json json;
  json["top1"] = evaluation.top1();
  json["loss"] = evaluation.loss;
  json["samples"] = evaluation.samples;
  json["correct"] = evaluation.correct();
  for (int c = 0; c < evaluation.classes; ++c) {
    const auto row = row_of(evaluation, c);
    json["classes"].push_back({{"name", class_names[static_cast<std::size_t>(c)]},
                               {"samples", total(row)},
                               {"correct", row[static_cast<std::size_t>(c)]}});
    json["confusion"].push_back(std::vector<std::int64_t>(row.begin(), row.end()));
  }
  return json.dump(1) + "\n";
}

}  // namespace whorl::report
