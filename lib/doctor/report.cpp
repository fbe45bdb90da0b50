// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "report/environment.hpp"

namespace whorl::doctor {

namespace {

constexpr std::size_t indent = 21, width = 110;
constexpr std::ptrdiff_t most_hosts = 8;

/// Words on lines of `width`, all but the first behind the columns of level and name.
std::string wrapped(const std::string& text) {
  std::string result;
  std::size_t column = indent;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (column > indent && column + 1 + word.size() > width) {
      result += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result;
}

std::ptrdiff_t count(const std::vector<Check>& checks, Level level) {
  std::ptrdiff_t number = 0;
  for (const Check& check : checks) number += std::ranges::count(check.findings, level, &Finding::level);
  return number;
}

}  // namespace

std::string heading(const Layout& layout) {
  std::vector<std::string> hosts;
  for (const int rank : layout.first_ranks()) hosts.push_back(layout.host_of(rank));
  const bool cut = std::ssize(hosts) > most_hosts;
  return fmt::format("{} rank{} on {} node{} ({}{})", layout.size(), layout.size() == 1 ? "" : "s",
                     hosts.size(), hosts.size() == 1 ? "" : "s",
                     fmt::join(hosts.begin(), hosts.begin() + std::min(std::ssize(hosts), most_hosts), ", "),
                     cut ? ", ..." : "");
}

std::string table_rows(const Check& check) {
  std::string rows;
  for (const Finding& finding : check.findings) {
    rows += fmt::format("{:<5} {:<14} {}\n", to_string(finding.level), check.name, wrapped(finding.text));
    if (!finding.remedy.empty()) rows += fmt::format("{:<20} {}\n", "", wrapped("-> " + finding.remedy));
  }
  return rows;
}

std::string summary(const std::vector<Check>& checks, double seconds) {
  const auto number = [&](Level level, const char* what) {
    const std::ptrdiff_t found = count(checks, level);
    return fmt::format("{} {}{}", found == 0 ? "no" : fmt::format("{}", found), what, found == 1 ? "" : "s");
  };
  return fmt::format("{} ok, {}, {}, in {:.1f} s\n", count(checks, Level::ok), number(Level::warn, "warning"),
                     number(Level::fail, "failure"), seconds);
}

nlohmann::json record(const Layout& layout, const std::vector<Check>& checks, double seconds) {
  nlohmann::json versions, all = nlohmann::json::array();
  for (const auto& [name, version] : report::versions()) versions[name] = version;
  for (const Check& check : checks) {
    nlohmann::json findings = nlohmann::json::array();
    for (const Finding& finding : check.findings)
      findings.push_back(
          {{"level", to_string(finding.level)}, {"text", finding.text}, {"remedy", finding.remedy}});
    all.push_back({{"name", check.name},
                   {"level", to_string(check.level())},
                   {"findings", findings},
                   {"figures", check.figures}});
  }
  return {{"verdict", to_string(worst(checks))},
          {"ended", report::utc_now()},
          {"seconds", seconds},
          {"versions", versions},
          {"hosts", layout.hosts},
          {"nodes", layout.nodes},
          {"checks", all}};
}

}  // namespace whorl::doctor
