// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/report.hpp"

#include <gtest/gtest.h>

#include "layouts.hpp"

namespace whorl::doctor {
namespace {

const Check good{.name = "MPI", .findings = {{Level::ok, "fine", ""}}, .figures = {{"version", 5}}};
const Check mixed{.name = "memory",
                  .findings = {{Level::ok, "much", ""}, {Level::warn, "little", "ask for more"}},
                  .figures = {}};
const Check bad{.name = "binding", .findings = {{Level::fail, "wrong", "bind them"}}, .figures = {}};

TEST(Report, TheWorstFindingCounts) {
  EXPECT_EQ(worst({good}), Level::ok);
  EXPECT_EQ(worst({good, mixed}), Level::warn);
  EXPECT_EQ(worst({bad, good, mixed}), Level::fail);
}

TEST(Report, ARowForEachFindingAndItsRemedyBelow) {
  EXPECT_EQ(table_rows(mixed),
            "ok    memory         much\n"
            "warn  memory         little\n"
            "                     -> ask for more\n");
}

TEST(Report, LongTextsGoOnBelowThemselves) {
  std::string words;
  for (int i = 0; i < 30; ++i) words += "word ";
  const std::string rows = table_rows({.name = "x", .findings = {{Level::ok, words, ""}}, .figures = {}});
  EXPECT_NE(rows.find("word\n                     word"), std::string::npos) << rows;
  EXPECT_LE(rows.find('\n'), 110U);
}

TEST(Report, TheEndCountsFindings) {
  EXPECT_EQ(summary({good, mixed, bad}, 3.14), "2 ok, 1 warning, 1 failure, in 3.1 s\n");
  EXPECT_EQ(summary({good}, 1), "1 ok, no warnings, no failures, in 1.0 s\n");
}

TEST(Report, ManyHostsAreCut) {
  EXPECT_EQ(heading(three_nodes), "3 ranks on 3 nodes (a, b, c)");
  Layout many{.hosts = std::vector<std::string>(9, "n"), .nodes = {0, 1, 2, 3, 4, 5, 6, 7, 8}};
  EXPECT_EQ(heading(many), "9 ranks on 9 nodes (n, n, n, n, n, n, n, n, ...)");
}

TEST(Report, TheRecordHasVerdictAndFigures) {
  const nlohmann::json all = record(two_nodes, {good, bad}, 2);
  EXPECT_EQ(all.at("verdict"), "fail");
  EXPECT_EQ(all.at("hosts").size(), 4U);
  EXPECT_EQ(all.at("checks").at(0).at("figures").at("version"), 5);
  EXPECT_EQ(all.at("checks").at(1).at("findings").at(0).at("remedy"), "bind them");
  EXPECT_TRUE(all.at("versions").contains("mpi"));
}

}  // namespace
}  // namespace whorl::doctor
