// SPDX-License-Identifier: BSD-3-Clause
#include "reading_section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "base/progress.hpp"
#include "figure_script.hpp"
#include "report/json.hpp"

namespace whorl::report_app {

namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// Taller than other figures: a key of many conditions stands below.
constexpr const char* canvas =
    "set terminal svg size 520,470 dynamic font 'sans-serif,14' noenhanced background 'white'\n";

/// A figure that could not be computed is null.
std::string number(const ordered_json& value, double factor, int decimals) {
  return value.is_number() ? fmt::format("{:.{}f}", factor * value.get<double>(), decimals) : "-";
}

std::string with_interval(const ordered_json& value, const ordered_json& interval, double factor,
                          int decimals) {
  return fmt::format("{} ({} to {})", number(value, factor, decimals),
                     number(interval.at(0), factor, decimals), number(interval.at(1), factor, decimals));
}

Table sources_table(const ordered_json& record) {
  Table table{"Sources", {"source", "path", "pictures", "files", "size", "fits in memory"}, {}};
  for (const ordered_json& source : record.at("sources"))
    table.rows.push_back({source.at("kind"), source.at("path"), source.at("images").dump(),
                          source.at("files").dump(), format_bytes(source.at("bytes")),
                          source.at("fits_in_memory").get<bool>() ? "yes" : "no"});
  return table;
}

Table speed_table(const ordered_json& record) {
  Table table{"Reading: medians over batch sizes, numbers of batches and repeats",
              {"source, condition", "images/s", "least to most", "p50, us", "p99, us", "computing",
               "waiting for a processor", "disk bytes per byte"},
              {}};
  for (const ordered_json& group : record.at("groups")) {
    const auto percent = [&](const char* share) { return number(group.at(share), 100, 1) + " %"; };
    table.rows.push_back(
        {group.at("source").get<std::string>() + ", " + group.at("condition").get<std::string>(),
         number(group.at("images_per_second_median"), 1, 0),
         number(group.at("images_per_second_min"), 1, 0) + " to " +
             number(group.at("images_per_second_max"), 1, 0),
         number(group.at("p50_seconds_median"), 1e6, 1), number(group.at("p99_seconds_median"), 1e6, 1),
         percent("cpu_share"), percent("queue_share"), number(group.at("disk_share"), 1, 2)});
  }
  return table;
}

Table fits_table(const ordered_json& record) {
  Table table{
      "Fits: seconds = a + b images, with 95 % intervals; and the regression of images/s on each parameter "
      "alone",
      {"source, condition", "a, ms", "b, us", "r"},
      {}};
  const ordered_json& groups = record.at("groups");
  for (const ordered_json& regression : groups.at(0).at("regressions_of_images_per_second"))
    table.header.push_back("on " + regression.at("on").get<std::string>() + ": slope, r, p");
  for (const ordered_json& group : groups) {
    const ordered_json& time = group.at("seconds_of_images");
    table.rows.push_back(
        {group.at("source").get<std::string>() + ", " + group.at("condition").get<std::string>(),
         with_interval(time.at("intercept"), time.at("intercept_95"), 1e3, 3),
         with_interval(time.at("slope"), time.at("slope_95"), 1e6, 2), number(time.at("r"), 1, 3)});
    for (const ordered_json& one : group.at("regressions_of_images_per_second"))
      table.rows.back().push_back(fmt::format("{}, {}, {}", number(one.at("slope"), 1, 2),
                                              number(one.at("r"), 1, 2), number(one.at("p"), 1, 4)));
    require(table.rows.back().size() == table.header.size(), "a record has groups with {} and {} regressions",
            table.header.size(), table.rows.back().size());
  }
  return table;
}

/// Whether the rows' last column says that the page cache was as asked.
std::size_t count_disturbed(const std::string& rows) {
  std::size_t count = 0;
  for (std::size_t at = rows.find(",false\n"); at != std::string::npos; at = rows.find(",false\n", at + 1))
    ++count;
  return count;
}

}  // namespace

ReadingRun read_reading_run(const fs::path& folder) {
  ReadingRun run{.folder = folder,
                 .name = folder.filename().string(),
                 .record = report::read_json(folder / "report.json"),
                 .rows_text = read_text_file(folder / "rows.csv"),
                 .figures = {}};
  for (const fs::directory_entry& entry : fs::directory_iterator(folder / "figures"))
    if (entry.path().extension() == ".gp") run.figures.push_back(entry.path());
  std::ranges::sort(run.figures);
  return run;
}

void add_section(Document& document, Plotter& plotter, const ReadingRun& run, const std::string& link) {
  report::look_into_records(run.folder, [&] {
    const ordered_json& record = run.record;
    const std::set<std::string> hosts = record.at("hosts");
    document.add(Heading{2, "Reading study " + run.name});
    document.add(Paragraph{fmt::format(
        "{} turns on {} rank{} on {} host{}, {}; memory copies {}/s. Page cache not as asked in {} turns. {}",
        record.at("rows").size(), record.at("ranks").dump(), record.at("ranks") == 1 ? "" : "s", hosts.size(),
        hosts.size() == 1 ? "" : "s", record.at("mpi").get<std::string>(),
        format_bytes(record.at("copy_bytes_per_second")), count_disturbed(run.rows_text),
        record.at("command").get<std::string>())});
    for (const ordered_json& conclusion : record.at("conclusions")) document.add(Paragraph{conclusion});
    document.add(sources_table(record));
    for (const fs::path& figure : run.figures) {
      std::string caption = figure.stem().string();
      caption.erase(caption.find_last_not_of("_0123456789") + 1);  // the number of the source
      std::ranges::replace(caption, '_', ' ');
      if (const auto picture = plotter.draw(canvas + read_figure_script(figure)))
        document.add(Figure{caption, *picture});
    }
    document.add(speed_table(record));
    document.add(fits_table(record));
    document.add(RawData{link + "/rows.csv", run.rows_text});
  });
}

}  // namespace whorl::report_app
