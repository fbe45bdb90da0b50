// SPDX-License-Identifier: BSD-3-Clause
#include "scale/rows.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "rows.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_message.hpp"

namespace whorl::scale {
namespace {

Row full_row() {
  Row row = test::row(4, 250);
  row.split = {.compute = 0.5, .communication = 0.25, .input = 0.125, .waiting = 0.0625, .other = 0.03125};
  row.timing.point.nodes = 2;
  row.timing.point.threads = 3;
  row.timing.repeat = 7;
  row.all_reduce_ran = "hierarchical";
  row.all_reduce_steps = 60;
  row.all_reduce_bytes = 5'000'000'000;
  row.started = "2025-01-31T12:00:00Z";
  row.start = 9;
  return row;
}

TEST(Rows, ALineGivesTheSameRowBack) {
  for (const bool has_cost : {true, false}) {
    Row row = full_row();
    if (!has_cost) row.all_reduce_steps = row.all_reduce_bytes = std::nullopt;
    const std::vector<Row> rows = parse_rows(csv_header() + csv_line(row), "rows.csv");
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].timing, row.timing);
    EXPECT_EQ(csv_line(rows[0]), csv_line(row));
    EXPECT_EQ(rows[0].all_reduce_ran, "hierarchical");
    EXPECT_EQ(rows[0].all_reduce_bytes, row.all_reduce_bytes);
    EXPECT_EQ(rows[0].split.waiting, 0.0625);
  }
}

TEST(Rows, AnUnfinishedLineIsLeftOutAndCutOff) {
  const test::TemporaryFolder folder;
  const std::string line = csv_line(full_row());
  std::ofstream(folder / "rows.csv") << csv_header() << line << line.substr(0, 30);
  EXPECT_EQ(parse_rows(read_text_file(folder / "rows.csv"), "rows.csv").size(), 1U);
  RowFile(folder / "rows.csv").append(full_row());
  EXPECT_EQ(read_text_file(folder / "rows.csv"), csv_header() + line + line);
}

TEST(Rows, ANewFileAndOneKilledAtItsHeaderGetOne) {
  const test::TemporaryFolder folder;
  RowFile(folder / "new.csv").append(full_row());
  EXPECT_EQ(read_text_file(folder / "new.csv"), csv_header() + csv_line(full_row()));
  std::ofstream(folder / "cut.csv") << csv_header().substr(0, 12);
  const RowFile cut(folder / "cut.csv");
  EXPECT_EQ(read_text_file(folder / "cut.csv"), csv_header());
}

TEST(Rows, ADiskThatIsFullInMidLineIsNamed) {
  const test::TemporaryFolder folder;
  RowFile rows(folder / "rows.csv");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);  // an error of write() instead
  const rlimit limit{.rlim_cur = csv_header().size() + 20, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const std::string message = test::thrown_message<Error>([&] { rows.append(full_row()); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_NE(message.find("rows.csv: File too large"), std::string::npos) << message;
}

TEST(Rows, WhatIsNoRowIsNamed) {
  const auto message_of = [](const std::string& text) {
    return test::thrown_message<Error>([&] { parse_rows(text, "rows.csv"); });
  };
  EXPECT_NE(message_of("a,b\n1,2\n").find("header"), std::string::npos);
  const std::string good = csv_header() + csv_line(full_row());
  EXPECT_NE(message_of(good + "train,weak\n").find("rows.csv line 3: a field is missing"), std::string::npos);
  EXPECT_NE(message_of(good + "train,weak,packed,two\n").find("line 3: 'two' is not a number"),
            std::string::npos);
  Row astray = full_row();
  astray.timing.point.placement = "astray";
  EXPECT_NE(message_of(csv_header() + csv_line(astray)).find("line 2: 'astray' is no placement"),
            std::string::npos);
  Row none = full_row();
  none.seconds = 0;
  EXPECT_NE(message_of(csv_header() + csv_line(none)).find("more than 0"), std::string::npos);
}

}  // namespace
}  // namespace whorl::scale
