// SPDX-License-Identifier: BSD-3-Clause
// whorl-report: makes one page of training runs and scaling studies.
#include <fmt/core.h>

#include <boost/program_options.hpp>
#include <filesystem>
#include <sstream>

#include "base/command_line.hpp"
#include "base/error.hpp"
#include "base/file_system.hpp"
#include "base/progress.hpp"
#include "document.hpp"
#include "plot.hpp"
#include "reading_section.hpp"
#include "study_comparison.hpp"
#include "study_section.hpp"
#include "training_section.hpp"

namespace whorl::report_app {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;

constexpr const char* description =
    "usage: whorl-report RUN... --output report.html\n\n"
    "Makes one self-contained page of the folders that whorl-train, whorl-scale and whorl-readbench leave: "
    "what ran\n"
    "where, curves, phase times of every rank, scaling and efficiency with fits, strategies and forms of "
    "storage\n"
    "compared. Figures are drawn by gnuplot\n"
    "(Debian: gnuplot-nox); without it there are the tables only.\n\noptions";

struct Options {
  std::vector<std::string> runs;
  std::string output, markdown, csv, help;
};

Options parse_options(int argc, char** argv) {
  Options options;
  po::options_description visible(description), all;
  visible.add_options()("help,h", "this text")("output", po::value(&options.output), "the page, HTML")(
      "markdown", po::value(&options.markdown), "the same as Markdown, without figures")(
      "csv", po::value(&options.csv), "every figure of every table: section, table, row, column, value");
  all.add(visible).add_options()("run", po::value(&options.runs));
  po::positional_options_description positions;
  positions.add("run", -1);
  const auto values = parse_command_line(argc, argv, all, "a run is given as its folder", positions);
  if (values.contains("help")) {
    std::ostringstream text;
    text << visible;
    options.help = text.str();
  } else if (options.runs.empty() || (options.output + options.markdown + options.csv).empty()) {
    throw UsageError(
        "whorl-report RUN... --output report.html: name a run folder and a file; --help tells more");
  }
  return options;
}

/// From the page to the run folder; as it was given where there is no page.
std::string link_to(const fs::path& folder, const std::string& page) {
  const fs::path base = page.empty() ? fs::current_path() : fs::absolute(page).parent_path();
  return fs::absolute(folder).lexically_normal().lexically_relative(base.lexically_normal()).string();
}

Document make_document(const Options& options) {
  std::vector<TrainingRun> trainings;
  std::vector<StudyRun> studies;
  std::vector<ReadingRun> readings;
  for (const std::string& run : options.runs) {
    const fs::path folder = fs::path(run).lexically_normal() / "";
    const fs::path plain = folder.parent_path();
    if (fs::exists(plain / "report.json")) {
      readings.push_back(read_reading_run(plain));
    } else if (fs::exists(plain / "rows.csv")) {
      studies.push_back(read_study_run(plain));
    } else if (fs::exists(plain / "run.json")) {
      trainings.push_back(read_training_run(plain));
    } else {
      throw Error(
          "{} is not the folder of a training (run.json), a scaling study (rows.csv) or a reading study "
          "(report.json)",
          run);
    }
  }
  Document document("whorl: " + std::to_string(options.runs.size()) +
                    (options.runs.size() == 1 ? " run" : " runs"));
  document.add(
      Paragraph{"Every figure is computed from the raw data that ends the section of its run: each file is "
                "linked and, unless "
                "this page would become heavy, folded away beneath its link."});
  Plotter plotter;
  if (!plotter.is_available())
    document.add(
        Paragraph{"gnuplot is not installed where this report was made (Debian: gnuplot-nox): tables only, "
                  "no figures."});
  add_comparison(document, plotter, trainings);
  add_comparison(document, plotter, studies);
  for (const StudyRun& run : studies)
    add_section(document, plotter, run, link_to(run.folder, options.output));
  for (const ReadingRun& run : readings)
    add_section(document, plotter, run, link_to(run.folder, options.output));
  for (const TrainingRun& run : trainings)
    add_section(document, plotter, run, link_to(run.folder, options.output));
  return document;
}

void write(const std::string& path, const std::string& text) {
  if (path.empty()) return;
  write_file_atomically(path, text);
  fmt::print("{}: {}\n", path, format_bytes(static_cast<double>(text.size())));
}

void run(int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  if (!options.help.empty()) {
    fmt::print("{}", options.help);
    return;
  }
  const Document document = make_document(options);
  write(options.output, document.html());
  write(options.markdown, document.markdown());
  write(options.csv, document.csv());
}

}  // namespace
}  // namespace whorl::report_app

// Without an MPI session: reports are made on login nodes and laptops, too.
int main(int argc, char** argv) {
  try {
    whorl::report_app::run(argc, argv);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "whorl-report: error: {}\n", whorl::describe(error));
    return dynamic_cast<const whorl::UsageError*>(&error) != nullptr ? 2 : 1;
  }
}
