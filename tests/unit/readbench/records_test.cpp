// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "readbench/report.hpp"

namespace whorl::readbench {
namespace {

Report report() {
  Report report{
      .study = {.sources = {{"tar", "a \"b\".tar"}}}, .hosts = {"one", "two"}, .mpi_library = "some MPI"};
  report.facts = {{.images = 9, .bytes = 1000, .files = 1, .fits_in_memory = true}};
  for (int turn = 1; turn <= 6; ++turn) {
    Measurement m{.configuration = {.source = 0, .batch = 4, .batches = turn}, .repeat = 1, .turn = turn};
    m.images = 8 * turn;
    m.seconds = 0.5 * turn;
    m.stored_bytes = 1000;
    report.measurements.push_back(m);
  }
  report.groups = analyse(report.measurements, 2, 1e9, 1);
  report.conclusions = conclusions(report.groups, report.study);
  return report;
}

TEST(Records, CsvHasEveryTurn) {
  std::istringstream csv(format_csv(report()));
  std::vector<std::string> lines;
  for (std::string line; std::getline(csv, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[0].substr(0, 24), "turn,source,path,ranks,b");
  EXPECT_EQ(lines[3].substr(0, 35), "3,\"tar\",\"a \"\"b\"\".tar\",2,4,3,2,\"shuf");
  for (const std::string& line : lines)
    EXPECT_EQ(std::ranges::count(line, ','), std::ranges::count(lines[0], ','));
}

TEST(Records, JsonHoldsRowsAndAnalysis) {
  const auto document = nlohmann::json::parse(format_json(report()));
  EXPECT_EQ(document["ranks"], 2);
  EXPECT_EQ(document["sources"][0]["path"], "a \"b\".tar");
  ASSERT_EQ(document["rows"].size(), 6U);
  EXPECT_EQ(document["rows"][5]["images"], 48);
  EXPECT_EQ(document["rows"][5]["images_per_second"], 16);
  ASSERT_EQ(document["groups"].size(), 1U);
  EXPECT_NEAR(document["groups"][0]["seconds_of_images"]["slope"].get<double>(), 1.0 / 16, 1e-12);
  EXPECT_EQ(document["conclusions"].size(), 1U);
}

TEST(Records, SummaryTellsWhereTheCacheWasNotAsAsked) {
  Report cold = report();
  EXPECT_NE(format_summary(cold).find("as asked for in every turn"), std::string::npos);
  cold.measurements[2].configuration.cache = Cache::cold;
  cold.measurements[2].resident = 0.5;
  EXPECT_NE(format_summary(cold).find("NOT as asked for in 1 of 6 turns"), std::string::npos);
}

}  // namespace
}  // namespace whorl::readbench
