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
    "set grid lc rgb '#dde2ea'\nset border 3 lc rgb '#4d5a70'\nset tics nomirror\n";
constexpr const char* colours[] = {"#1f5fa8", "#d1611f", "#2f8f5b", "#8a4fa8",
                                   "#b3283d", "#7a6a1d", "#2aa5b8", "#6b7686"};

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

/// Of what is drawn as the `number`th; dashed where its colour was taken before.
KeyEntry key_entry(std::size_t number, const std::string& title, bool dashed) {
  return {colours[number % std::size(colours)], title, dashed || number >= std::size(colours)};
}

std::string curve_command(std::size_t number, const Curve& curve, const KeyEntry& entry) {
  const std::string with = !curve.low.empty() ? "yerrorbars pt 7 ps 0.6 lw 1.5"
                           : curve.points     ? "points pt 7 ps 0.6"
                                              : fmt::format("lines lw 2 dt {}", entry.dashed ? 2 : 1);
  return fmt::format("$data{} with {} lc rgb '{}'", number, with, entry.colour);
}

/// The labels of so many bars that not all can be read lose those between.
std::string bar_label(const StackedBars& plot, std::size_t bar) {
  constexpr std::size_t most_labels = 16;
  const std::size_t every = (plot.bars.size() + most_labels - 1) / most_labels;
  return bar % every == 0 ? plot.bars[bar] : "";
}

/// Figures of one page must not share names; what stands before <svg is for files.
std::string for_page(std::string svg, int figure) {
  svg.erase(0, svg.find("<svg"));
  svg = std::regex_replace(svg, std::regex(R"((\sid=["']))"), fmt::format("$1f{}-", figure));
  svg = std::regex_replace(svg, std::regex(R"((href=["']#|url\(#))"), fmt::format("$1f{}-", figure));
  return std::regex_replace(svg, std::regex("<title>[^<]*</title>\\s*|<desc>[^<]*</desc>\\s*"), "");
}

std::optional<Picture> with_key(std::optional<Picture> picture, std::vector<KeyEntry> key) {
  if (picture) picture->key = std::move(key);
  return picture;
}

}  // namespace

Plotter::Plotter() : available_(std::system("command -v gnuplot > /dev/null 2>&1") == 0) {}

std::optional<Picture> Plotter::draw(const LinePlot& plot) {
  std::string script =
      fmt::format("unset key\nset xlabel {}\nset ylabel {}\n", quoted(plot.x_label), quoted(plot.y_label));
  script += plot.x_ticks.empty() ? "set xrange [0:*]\n"
                                 : fmt::format("set xtics ({})\n", fmt::join(plot.x_ticks, ","));
  script += "set offsets graph 0.05, graph 0.05, graph 0.05, graph 0\nset yrange [*<0:*]\n";
  std::string commands;
  std::vector<KeyEntry> key;
  for (std::size_t i = 0; i < plot.curves.size(); ++i) {
    key.push_back(key_entry(i, plot.curves[i].title, plot.curves[i].dashed));
    script += data_block(i, plot.curves[i]);
    commands += (i == 0 ? "plot " : ", \\\n  ") + curve_command(i, plot.curves[i], key.back());
  }
  return with_key(draw(script + commands + "\n"), std::move(key));
}

std::optional<Picture> Plotter::draw(const StackedBars& plot) {
  std::string script = fmt::format(
      "unset key\nset ylabel {}\nset style data histograms\nset style histogram rowstacked\n"
      "set style fill solid 0.9 noborder\nset boxwidth 0.7\nset yrange [0:*]\n{}$data << END\n",
      quoted(plot.y_label), plot.bars.size() > 6 ? "set xtics rotate by 90 right\n" : "");
  for (std::size_t bar = 0; bar < plot.bars.size(); ++bar) {
    script += fmt::format("\"{}\"", bar_label(plot, bar));
    for (const auto& part : plot.heights) script += fmt::format(" {}", part[bar]);
    script += "\n";
  }
  script += "END\n";
  std::vector<KeyEntry> key;
  for (std::size_t part = 0; part < plot.parts.size(); ++part) {
    key.push_back(key_entry(part, plot.parts[part], false));
    script += fmt::format("{}$data using {}:xtic(1) lc rgb '{}'", part == 0 ? "plot " : ", \\\n  ", part + 2,
                          key.back().colour);
  }
  return with_key(draw(script + "\n"), std::move(key));
}

std::optional<Picture> Plotter::draw(const std::string& script) {
  if (!available_) return std::nullopt;
  const TemporaryFolder folder;
  const fs::path input = folder.path() / "figure.gp", output = folder.path() / "figure.svg",
                 log = folder.path() / "log";
  std::ofstream(input) << preamble << "set output " << quoted(output.string()) << "\n" << script;
  const int status =
      std::system(fmt::format("gnuplot '{}' > '{}' 2>&1", input.string(), log.string()).c_str());
  require(status == 0, "gnuplot cannot draw a figure: {}", read_text_file(log));
  return Picture{for_page(read_text_file(output), ++figures_), {}};
}

}  // namespace whorl::report_app
