// SPDX-License-Identifier: BSD-3-Clause
#include "plot.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>

#include "base/error.hpp"
#include "base/file_system.hpp"

namespace whorl::report_app {

namespace {

namespace fs = std::filesystem;

constexpr const char* preamble =
    "set encoding utf8\nset terminal svg size 480,330 dynamic font 'sans-serif,14' noenhanced background "
    "'white'\n"
    "set grid lc rgb '#dde2ea'\nset border 3 lc rgb '#4d5a70'\nset tics nomirror\nset key outside top center "
    "horizontal\n";
constexpr const char* colours[] = {"#1f5fa8", "#d1611f", "#2f8f5b", "#8a4fa8", "#b3283d", "#7a6a1d"};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "whorl-report-XXXXXX").string();
    require(mkdtemp(pattern.data()) != nullptr, "cannot create a folder {}", pattern);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// In gnuplot's single quotes.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') result += c;
    result += static_cast<unsigned char>(c) < ' ' ? ' ' : c;  // the end of a line would end the command
  }
  result += '\'';
  return result;
}

std::string data_block(std::size_t number, const Curve& curve) {
  std::string text = fmt::format("$data{} << END\n", number);
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    text += fmt::format("{} {}", curve.x[i], curve.y[i]);
    if (!curve.low.empty()) text += fmt::format(" {} {}", curve.low[i], curve.high[i]);
    text += "\n";
  }
  return text + "END\n";
}

std::string curve_command(std::size_t number, const Curve& curve, const char* colour) {
  const std::string with = !curve.low.empty() ? "yerrorbars pt 7 ps 0.6 lw 1.5"
                           : curve.points     ? "points pt 7 ps 0.6"
                                              : fmt::format("lines lw 2 dt {}", curve.dashed ? 2 : 1);
  return fmt::format("$data{} with {} lc rgb '{}' title {}", number, with, colour, quoted(curve.title));
}

/// Figures of one page must not share names; what stands before <svg is for files.
std::string for_page(std::string svg, int figure) {
  svg.erase(0, svg.find("<svg"));
  svg = std::regex_replace(svg, std::regex(R"((\sid=["']))"), fmt::format("$1f{}-", figure));
  svg = std::regex_replace(svg, std::regex(R"((href=["']#|url\(#))"), fmt::format("$1f{}-", figure));
  return std::regex_replace(svg, std::regex("<title>[^<]*</title>\\s*|<desc>[^<]*</desc>\\s*"), "");
}

}  // namespace

Plotter::Plotter() : available_(std::system("command -v gnuplot > /dev/null 2>&1") == 0) {}

std::optional<std::string> Plotter::draw(const LinePlot& plot) {
  std::string script =
      fmt::format("set xlabel {}\nset ylabel {}\n", quoted(plot.x_label), quoted(plot.y_label));
  script += plot.x_ticks.empty() ? "set xrange [0:*]\n"
                                 : fmt::format("set xtics ({})\n", fmt::join(plot.x_ticks, ","));
  script += "set offsets graph 0.05, graph 0.05, graph 0.05, graph 0\nset yrange [*<0:*]\n";
  std::string commands;
  for (std::size_t i = 0; i < plot.curves.size(); ++i) {
    script += data_block(i, plot.curves[i]);
    commands +=
        (i == 0 ? "plot " : ", \\\n  ") + curve_command(i, plot.curves[i], colours[i % std::size(colours)]);
  }
  return draw(script + commands + "\n");
}

std::optional<std::string> Plotter::draw(const StackedBars& plot) {
  std::string script = fmt::format(
      "set ylabel {}\nset style data histograms\nset style histogram rowstacked\nset style fill solid 0.9 "
      "noborder\n"
      "set boxwidth 0.7\nset yrange [0:*]\n{}$data << END\n",
      quoted(plot.y_label), plot.bars.size() > 8 ? "set xtics rotate by 60 right\n" : "");
  for (std::size_t bar = 0; bar < plot.bars.size(); ++bar) {
    script += fmt::format("\"{}\"", plot.bars[bar]);
    for (const auto& part : plot.heights) script += fmt::format(" {}", part[bar]);
    script += "\n";
  }
  script += "END\n";
  for (std::size_t part = 0; part < plot.parts.size(); ++part) {
    script += fmt::format("{}$data using {}:xtic(1) lc rgb '{}' title {}", part == 0 ? "plot " : ", \\\n  ",
                          part + 2, colours[part % std::size(colours)], quoted(plot.parts[part]));
  }
  return draw(script + "\n");
}

std::optional<std::string> Plotter::draw(const std::string& script) {
  if (!available_) return std::nullopt;
  const TemporaryFolder folder;
  const fs::path input = folder.path() / "figure.gp", output = folder.path() / "figure.svg",
                 log = folder.path() / "log";
  std::ofstream(input) << preamble << "set output " << quoted(output.string()) << "\n" << script;
  const int status =
      std::system(fmt::format("gnuplot '{}' > '{}' 2>&1", input.string(), log.string()).c_str());
  require(status == 0, "gnuplot cannot draw a figure: {}", read_text_file(log));
  return for_page(read_text_file(output), ++figures_);
}

}  // namespace whorl::report_app
