// SPDX-License-Identifier: BSD-3-Clause
// gnuplot scripts that carry their own data.
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "readbench/report.hpp"

extern char** environ;

namespace whorl::readbench {

namespace {

namespace fs = std::filesystem;

constexpr const char* key_below = "set key outside bottom center vertical samplen 2\n";

struct Figure {
  std::string name, script;  // without the lines that say where to draw
};

std::string label_of(const Report& report, const Group& group) {
  return source_label(report.study.sources, group.condition.source);
}

/// As a string of gnuplot, in which nothing has a meaning.
std::string quoted(const std::string& text) {
  std::string doubled;
  for (const char c : text) doubled.append(c == '\'' ? 2 : 1, c == '\n' ? ' ' : c);
  return "'" + doubled + "'";
}

/// A named data block for each group, and the plot command over all of them.
std::string blocks_and_plot(const Report& report, std::span<const Group* const> groups,
                            const std::function<std::string(const Group&)>& data, const std::string& style) {
  std::string blocks, plot;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    blocks += fmt::format("$data{} << END\n{}END\n", i, data(*groups[i]));
    plot += fmt::format("{}$data{} {} title {}", i == 0 ? "plot " : ", ", i, style,
                        quoted(label_of(report, *groups[i])));
  }
  return blocks + plot + "\n";
}

/// Lines of: batch, mean, lowest, highest images/s.
std::string rate_over_batch(const Group& group) {
  std::map<int, std::vector<double>> rates;
  for (const Measurement& m : group.measurements)
    rates[m.configuration.batch].push_back(m.images_per_second());
  std::string text;
  for (const auto& [batch, of_batch] : rates)
    text += fmt::format("{} {} {} {}\n", batch, mean(of_batch), std::ranges::min(of_batch),
                        std::ranges::max(of_batch));
  return text;
}

Figure batch_figure(const Report& report, const std::string& condition,
                    std::span<const Group* const> groups) {
  std::string name = "rate_" + condition;
  std::erase(name, ',');
  std::ranges::replace(name, ' ', '_');
  const auto [smallest, largest] = std::ranges::minmax(
      groups.front()->measurements, {}, [](const Measurement& m) { return m.configuration.batch; });
  constexpr double margin = 1.5;  // gives a single batch size a range
  return {name, fmt::format("set title {}\nset xlabel 'batch size'\nset ylabel 'images/s, mean and range'\n"
                            "set logscale x 2\nset logscale y\nset xrange [{}:{}]\n{}",
                            quoted(condition), smallest.configuration.batch / margin,
                            largest.configuration.batch * margin, key_below) +
                    blocks_and_plot(report, groups, rate_over_batch, "using 1:2:3:4 with yerrorlines")};
}

std::vector<Figure> batch_figures(const Report& report) {
  std::map<std::string, std::vector<const Group*>> by_condition;
  for (const Group& group : report.groups) by_condition[describe(group.condition)].push_back(&group);
  std::vector<Figure> figures;
  for (const auto& [condition, groups] : by_condition)
    figures.push_back(batch_figure(report, condition, groups));
  return figures;
}

/// Median images/s of both cache states, where both were measured; a row a source and condition.
std::vector<Figure> cache_figure(const Report& report) {
  std::string rows;
  for (const Group& cold : report.groups) {
    if (cold.condition.cache != Cache::cold) continue;
    Condition as_warm = cold.condition;
    as_warm.cache = Cache::warm;
    const auto warm = std::ranges::find(report.groups, as_warm, &Group::condition);
    if (warm == report.groups.end()) continue;
    std::string condition = describe(cold.condition);
    condition.erase(0, condition.find(' ') + 1);
    rows += fmt::format("\"{}, {}\" {} {}\n", label_of(report, cold), condition, cold.median_rate,
                        warm->median_rate);
  }
  if (rows.empty()) return {};
  return {{"cold_against_warm",
           "set title 'cold and warm page cache'\nset ylabel 'images/s, median'\nset logscale y\n"
           "set style data histogram\nset style fill solid 0.7\nset xtics rotate by 90 right\n"
           "set key outside top center horizontal\n$data << END\n" +
               rows + "END\nplot $data using 2:xtic(1) title 'cold', $data using 3 title 'warm'\n"}};
}

/// Points and line of seconds over images, of one source.
Figure fit_figure(const Report& report, std::size_t source) {
  std::string blocks, plot;
  int block = 0;
  for (const Group& group : report.groups) {
    if (group.condition.source != source) continue;
    blocks += fmt::format("$data{} << END\n", block);
    for (const Measurement& m : group.measurements) blocks += fmt::format("{} {}\n", m.images, m.seconds);
    blocks += "END\n";
    plot += fmt::format("{}$data{} with points lc {} title {}", block == 0 ? "plot " : ", ", block, block + 1,
                        quoted(describe(group.condition)));
    const Line& line = group.time.line;
    if (std::isfinite(line.slope))  // not where all turns read equally many
      plot += fmt::format(", {} + {} * x with lines lc {} notitle", line.intercept, line.slope, block + 1);
    ++block;
  }
  const std::string label = source_label(report.study.sources, source);
  return {fmt::format("fit_{}_{}", report.study.sources[source].kind, source + 1),
          fmt::format("set title {}\nset xlabel 'images'\nset ylabel 'seconds'\n{}set xrange [0:*]\n",
                      quoted(label + ": time over images, and the least-squares line"), key_below) +
              blocks + plot + "\n"};
}

/// False where there is no gnuplot.
bool run_gnuplot(const fs::path& script) {
  std::string program = "gnuplot", argument = script.string();
  char* const arguments[] = {program.data(), argument.data(), nullptr};
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, "gnuplot", nullptr, nullptr, arguments, environ);
  if (error == ENOENT) return false;
  require(error == 0, "cannot start gnuplot: {}", system_error_text(error));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    require(errno == EINTR, "cannot wait for gnuplot: {}", system_error_text(errno));
  require(WIFEXITED(status) && WEXITSTATUS(status) == 0, "gnuplot cannot draw {}", script.string());
  return true;
}

}  // namespace

std::vector<fs::path> draw_figures(const Report& report, const fs::path& folder) {
  std::vector<Figure> figures = batch_figures(report);
  for (Figure& figure : cache_figure(report)) figures.push_back(std::move(figure));
  for (std::size_t source = 0; source < report.study.sources.size(); ++source)
    figures.push_back(fit_figure(report, source));
  fs::create_directories(folder);
  std::vector<fs::path> drawn;
  for (const Figure& figure : figures) {
    const fs::path script = folder / (figure.name + ".gp"), picture = folder / (figure.name + ".svg");
    write_file_atomically(script, fmt::format("set terminal svg size 760,600 dynamic\nset output {}\n{}",
                                              quoted(picture.string()), figure.script));
    if (run_gnuplot(script)) drawn.push_back(picture);
  }
  return drawn;
}

}  // namespace whorl::readbench
