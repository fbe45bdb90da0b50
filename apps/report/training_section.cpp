// SPDX-License-Identifier: BSD-3-Clause
#include "training_section.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <sstream>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "report/json.hpp"
#include "train/phase.hpp"

namespace whorl::report_app {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t most_bars = 48;

bool is_on_the_clock(const std::string& phase) {
  static const std::vector<std::string> names = train::phase::names();
  return std::ranges::any_of(train::phase::on_the_clock, [&](auto index) { return names[index] == phase; });
}

/// Not a number for an empty field; nothing for what is no number.
std::optional<double> parse_number(const std::string& text) {
  if (text.empty()) return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// By the names in the header, so that further columns do no harm.
std::vector<Epoch> parse_metrics(const std::string& text, const std::string& file) {
  std::istringstream lines(text);
  const auto split = [](const std::string& line) {
    std::vector<std::string> words;
    std::istringstream stream(line + ",");
    for (std::string word; std::getline(stream, word, ',');) words.push_back(word);
    return words;
  };
  std::string line;
  std::getline(lines, line);
  const std::vector<std::string> header = split(line);
  std::vector<Epoch> epochs;
  while (std::getline(lines, line)) {
    const std::vector<std::string> words = split(line);
    require(words.size() == header.size(), "{}: the line '{}' does not fit the header", file, line);
    std::map<std::string, double> values;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::optional<double> value = parse_number(words[i]);
      require(value.has_value(), "{}: '{}' is not a number", file, words[i]);
      values[header[i]] = *value;
    }
    epochs.push_back({values["epoch"], values["train_loss"], values["train_top1"], values["test_loss"],
                      values["test_top1"], values["images_per_second"], values["seconds"]});
  }
  return epochs;
}

template <typename Field>
Curve curve_of(const std::string& title, const std::vector<Epoch>& epochs, Field field, double scale = 1) {
  Curve curve{.title = title, .x = {}, .y = {}, .low = {}, .high = {}};
  for (const Epoch& epoch : epochs) {
    if (std::isnan(epoch.*field)) continue;
    curve.x.push_back(epoch.epoch);
    curve.y.push_back(scale * epoch.*field);
  }
  curve.points = curve.x.size() == 1;
  return curve;
}

void add_plot(Document& document, Plotter& plotter, LinePlot plot, const std::string& caption) {
  std::erase_if(plot.curves, [](const Curve& curve) { return curve.x.empty(); });
  if (plot.curves.empty()) return;
  if (const auto picture = plotter.draw(plot)) document.add(Figure{caption, *picture});
}

void add_curves(Document& document, Plotter& plotter, const TrainingRun& run) {
  add_plot(document, plotter,
           {"epoch",
            "loss",
            {curve_of("training", run.epochs, &Epoch::train_loss),
             curve_of("test", run.epochs, &Epoch::test_loss)},
            {}},
           "Loss; that of training is a mean over the epoch, with label smoothing.");
  add_plot(document, plotter,
           {"epoch",
            "accuracy, %",
            {curve_of("training", run.epochs, &Epoch::train_top1, 100),
             curve_of("test", run.epochs, &Epoch::test_top1, 100)},
            {}},
           "Top-1 accuracy; that of training is of the training passes, augmented.");
}

/// Of a recorded phase that may be absent in records of older versions.
std::vector<double> per_rank(const Json& phase) {
  return phase.contains("per_rank") ? phase.at("per_rank").get<std::vector<double>>() : std::vector<double>{};
}

void add_phases(Document& document, Plotter& plotter, const TrainingRun& run) {
  if (!run.timing.contains("total")) {
    document.add(Paragraph{"The run did not reach its end: it has no phase times in total."});
    return;
  }
  const Json& total = run.timing.at("total");
  Table table{
      "Seconds of every phase over the ranks", {"phase", "min", "mean", "max", "slowest rank", "on"}, {}};
  StackedBars bars{.y_label = "seconds", .bars = {}, .parts = {}, .heights = {}};
  for (const auto& [name, phase] : total.items()) {
    table.rows.push_back({name, fmt::format("{:.3f}", phase.at("min").get<double>()),
                          fmt::format("{:.3f}", phase.at("mean").get<double>()),
                          fmt::format("{:.3f}", phase.at("max").get<double>()),
                          phase.at("slowest_rank").dump(), phase.at("slowest_host").get<std::string>()});
    const std::vector<double> seconds = per_rank(phase);
    const bool fits = bars.heights.empty() || seconds.size() == bars.heights[0].size();
    if (seconds.empty() || seconds.size() > most_bars || !fits || !is_on_the_clock(name)) continue;
    bars.parts.push_back(name);
    bars.heights.push_back(seconds);
  }
  if (!bars.parts.empty()) {
    for (std::size_t rank = 0; rank < bars.heights[0].size(); ++rank)
      bars.bars.push_back(fmt::format("rank {}", rank));
    if (const auto picture = plotter.draw(bars))
      document.add(Figure{"Where each rank's wall clock went.", *picture});
  }
  document.add(table);
}

double result_of(const TrainingRun& run, const char* name) {
  const Json& record = run.record;
  return record.contains("result") && record.at("result").contains(name)
             ? record.at("result").at(name).get<double>()
             : std::numeric_limits<double>::quiet_NaN();
}

/// As it is written: a number that a damaged record holds need not fit an int.
std::string count_text(const Json& record, const char* name) {
  return record.contains(name) ? record.at(name).dump() : "-";
}

std::string number_text(double value, int decimals) {
  return std::isnan(value) ? "-" : fmt::format("{:.{}f}", value, decimals);
}

}  // namespace

TrainingRun read_training_run(const fs::path& folder) {
  TrainingRun run{.folder = folder,
                  .name = folder.filename().string(),
                  .record = {},
                  .timing = {},
                  .metrics = {},
                  .verdict = {},
                  .epochs = {}};
  run.record = report::read_json(folder / "run.json");
  if (fs::exists(folder / "timing.json")) run.timing = report::read_json(folder / "timing.json");
  if (fs::exists(folder / "metrics.csv")) run.metrics = read_text_file(folder / "metrics.csv");
  if (fs::exists(folder / "verdict.txt")) run.verdict = read_text_file(folder / "verdict.txt");
  run.epochs = parse_metrics(run.metrics, (folder / "metrics.csv").string());
  return run;
}

void add_place(Document& document, const Json& record) {
  std::vector<std::pair<std::string, std::vector<std::string>>> hosts;  // in the order of their first rank
  for (const Json& rank : record.at("ranks")) {
    const auto host = rank.at("host").get<std::string>();
    auto found = std::find_if(hosts.begin(), hosts.end(), [&](const auto& one) { return one.first == host; });
    if (found == hosts.end()) found = hosts.insert(found, {host, {}});
    found->second.push_back(rank.at("cpus").get<std::string>());
  }
  Table places{"Where", {"host", "ranks", "CPUs of each rank"}, {}};
  for (const auto& [host, cpus] : hosts)
    places.rows.push_back({host, fmt::format("{}", cpus.size()), fmt::format("{}", fmt::join(cpus, "; "))});
  document.add(places);
  Table versions{"With", {"what", "version"}, {}};
  for (const auto& [name, version] : record.at("versions").items())
    versions.rows.push_back({name, version.get<std::string>()});
  document.add(versions);
}

void add_section(Document& document, Plotter& plotter, const TrainingRun& run, const std::string& link) {
  report::look_into_records(run.folder, [&] {
    document.add(Heading{2, "Training " + run.name});
    const Json& record = run.record;
    Table table{"What", {"what", "value"}, {}};
    const auto add = [&](const char* what, const std::string& value) { table.rows.push_back({what, value}); };
    add("started", record.value("started", "-"));
    add("ended", record.value("ended", "not yet, or killed"));
    if (record.contains("network")) add("network", record.at("network").at(0).get<std::string>());
    add("dataset", record.at("dataset").value("path", "-"));
    add("all-reduce", record.at("all_reduce").value("algorithm", "-"));
    add("batch / shard", count_text(record, "batch") + " / " + count_text(record, "shard"));
    add("threads of a rank", count_text(record, "threads_per_rank"));
    if (!std::isnan(result_of(run, "test_top1")))
      add("test accuracy",
          fmt::format("{:.2f} %, test-time augmentation {}", 100 * result_of(run, "test_top1"),
                      record.at("result").value("tta", "none")));
    document.add(table);
    add_place(document, record);
    add_curves(document, plotter, run);
    add_phases(document, plotter, run);
    std::istringstream lines(run.verdict);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t found = line.find("bound by");
      if (found != std::string::npos) document.add(Paragraph{fmt::format("B{}", line.substr(found + 1))});
    }
    document.add(RawData{link + "/metrics.csv", run.metrics});
    document.add(RawData{link + "/timing.json", run.timing.dump(1)});
    document.add(RawData{link + "/run.json", run.record.dump(1)});
  });
}

void add_comparison(Document& document, Plotter& plotter, const std::vector<TrainingRun>& runs) {
  if (runs.size() < 2) return;
  document.add(Heading{2, "The training runs side by side"});
  Table table{
      "Runs",
      {"run", "ranks", "all-reduce", "batch", "test accuracy, %", "training loss", "training, s", "images/s"},
      {}};
  LinePlot plot{"epoch", "test accuracy, %", {}, {}};
  for (const TrainingRun& run : runs) {
    double images = 0, seconds = 0;
    for (const Epoch& epoch : run.epochs) {
      images += epoch.images_per_second * epoch.seconds;
      seconds += epoch.seconds;
    }
    report::look_into_records(run.folder, [&] {
      table.rows.push_back(
          {run.name, fmt::format("{}", run.record.at("ranks").size()),
           run.record.at("all_reduce").value("algorithm", "-"), count_text(run.record, "batch"),
           number_text(100 * result_of(run, "test_top1"), 2), number_text(result_of(run, "train_loss"), 4),
           number_text(seconds, 1), number_text(images / seconds, 0)});
    });
    plot.curves.push_back(curve_of(run.name, run.epochs, &Epoch::test_top1, 100));
  }
  add_plot(document, plotter, plot, "Test accuracy by epoch, without test-time augmentation.");
  document.add(table);
}

}  // namespace whorl::report_app
