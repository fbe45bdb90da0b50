// SPDX-License-Identifier: BSD-3-Clause
#include "figure_script.hpp"

#include <cctype>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "base/file_system.hpp"

namespace whorl::report_app {

namespace {

/// What stands in commands beside numbers, data blocks and quoted texts. None of these words reads a file,
/// writes one or starts a program.
const std::set<std::string> harmless_words{
    "bottom",  "by",    "center", "data",  "e",        "fill",       "histogram", "horizontal",
    "inf",     "key",   "lc",     "left",  "lines",    "logscale",   "nan",       "notitle",
    "outside", "plot",  "points", "right", "rotate",   "samplen",    "set",       "solid",
    "style",   "title", "top",    "using", "vertical", "with",       "x",         "xlabel",
    "xrange",  "xtic",  "xtics",  "y",     "ylabel",   "yerrorlines"};

/// Behind these, a quoted text is a label; elsewhere it could be a file or a program.
const std::set<std::string> labels{"title", "xlabel", "ylabel"};

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// The text in single quotes at `at`, which doubles those within; its end. npos where there is none.
std::size_t end_of_quotes(const std::string& line, std::size_t at) {
  for (++at; (at = line.find('\'', at)) != std::string::npos; at += 2)
    if (at + 1 == line.size() || line[at + 1] != '\'') return at + 1;
  return at;
}

bool is_harmless(const std::string& command) {
  constexpr std::string_view signs = " 0123456789.,:+-*$()[]";
  std::string last;
  for (std::size_t at = 0, end = 0; at < command.size(); at = end) {
    end = at + 1;
    if (is_letter(command[at])) {
      while (end < command.size() && is_letter(command[end])) ++end;
      last = command.substr(at, end - at);
      if (!harmless_words.contains(last)) return false;
    } else if (command[at] == '\'') {
      end = end_of_quotes(command, at);
      if (end == std::string::npos || !labels.contains(last)) return false;
      last.clear();
    } else if (signs.find(command[at]) == std::string_view::npos) {
      return false;
    } else if (command[at] != ' ') {
      last.clear();
    }
  }
  return true;
}

bool opens_data_block(const std::string& line) {
  return line.starts_with("$data") && line.ends_with(" << END") &&
         line.find_first_not_of("0123456789", 5) == line.size() - 7;
}

}  // namespace

std::string read_figure_script(const std::filesystem::path& file) {
  const std::string text = read_text_file(file);
  std::istringstream lines(text);
  std::string line, script;
  bool in_data = false;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (number <= 2) continue;
    script += line + '\n';
    require(line.find('`') == std::string::npos, "{} line {} starts a program", file.string(), number);
    if (in_data) {
      in_data = line != "END";
      // Whether gnuplot takes such a line for the end is better not asked.
      const std::size_t word = line.find_first_not_of(" \t\r");
      require(!in_data || word == std::string::npos || line.compare(word, 3, "END") != 0,
              "{} line {} could end its data", file.string(), number);
    } else if (opens_data_block(line)) {
      in_data = true;
    } else {
      require(is_harmless(line),
              "{} line {} is not of a figure that whorl-readbench makes; it is not given to gnuplot: {}",
              file.string(), number, line);
    }
  }
  return script;
}

}  // namespace whorl::report_app
