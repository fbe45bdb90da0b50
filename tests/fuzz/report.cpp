// SPDX-License-Identifier: BSD-3-Clause
// The records that whorl-report makes pages of. The first byte says of what: a training (run.json,
// timing.json, metrics.csv, verdict.txt), a scaling study (rows.csv, starts.json) or a reading study
// (report.json, rows.csv).
#include <cstdlib>
#include <filesystem>

#include "base/file_system.hpp"
#include "input.hpp"
#include "reading_section.hpp"
#include "study_section.hpp"
#include "support/temporary_folder.hpp"
#include "training_section.hpp"

namespace {

using namespace whorl;
namespace fs = std::filesystem;

void write(const fs::path& folder, std::span<const std::uint8_t> bytes,
           const std::vector<const char*>& names) {
  const std::vector<std::string> texts = fuzz::cut(bytes, names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    create_empty_file(folder / names[i]);
    append_to_file(folder / names[i], texts[i]);
  }
}

/// Without gnuplot: drawing takes too long, and is not ours.
report_app::Plotter without_figures() {
  ::setenv("PATH", "", 1);
  return {};
}

template <typename Read>
void report(const Read& read) {
  fuzz::refuse_or_take([&] {
    const auto run = read();
    report_app::Document document("title");
    static report_app::Plotter plotter = without_figures();
    add_section(document, plotter, run, "link");
    document.html();
    document.markdown();
    document.csv();
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TemporaryFolder training, study, reading;
  if (size == 0) return 0;
  const auto bytes = std::span(data, size).subspan(1);
  if (data[0] == 't') {
    write(training.path(), bytes, {"run.json", "timing.json", "metrics.csv", "verdict.txt"});
    report([] { return report_app::read_training_run(training.path()); });
  } else if (data[0] == 's') {
    write(study.path(), bytes, {"rows.csv", "starts.json"});
    report([] { return report_app::read_study_run(study.path()); });
  } else if (data[0] == 'r') {
    write(reading.path(), bytes, {"report.json", "rows.csv"});
    fs::create_directories(reading / "figures");
    report([] { return report_app::read_reading_run(reading.path()); });
  }
  return 0;
}
