// SPDX-License-Identifier: BSD-3-Clause
#include "base/progress.hpp"

#include <gtest/gtest.h>

namespace whorl {
namespace {

TEST(format_duration, changes_units_where_a_reader_expects_it) {
  EXPECT_EQ(format_duration(0), "0.0 s");
  EXPECT_EQ(format_duration(12.34), "12.3 s");
  EXPECT_EQ(format_duration(59.94), "59.9 s");
  EXPECT_EQ(format_duration(59.96), "1 min 00 s");
  EXPECT_EQ(format_duration(245.4), "4 min 05 s");
  EXPECT_EQ(format_duration(3599.6), "1 h 00 min");
  EXPECT_EQ(format_duration(2 * 3600 + 13 * 60), "2 h 13 min");
  EXPECT_EQ(format_duration(100 * 3600), "100 h 00 min");
}

TEST(format_bytes, uses_powers_of_1000) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1.0 kB");
  EXPECT_EQ(format_bytes(1'234'567), "1.2 MB");
  EXPECT_EQ(format_bytes(999'970), "1.0 MB");
  EXPECT_EQ(format_bytes(2e15), "2.0 PB");
}

std::string printed_by(std::int64_t total, std::int64_t done, bool active, const std::string& note = {}) {
  testing::internal::CaptureStderr();
  {
    Progress progress("ingesting", "pictures", total, active);
    progress.note(note);
    progress.update(done);
  }
  return testing::internal::GetCapturedStderr();
}

TEST(progress, writes_one_plain_line_into_a_log_when_it_ends) {
  const std::string text = printed_by(40, 40, true, "3 rejected");
  EXPECT_EQ(text.rfind("ingesting: 40 of 40 pictures (100 %), ", 0), 0U) << text;
  EXPECT_NE(text.find(" pictures/s, took 0.0 s, 3 rejected\n"), std::string::npos) << text;
  EXPECT_EQ(text.find_first_of("\r\x1b"), std::string::npos) << "control characters in a log";
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(progress, estimates_the_time_left) {
  const std::string text = printed_by(40, 10, true);
  EXPECT_EQ(text.rfind("ingesting: 10 of 40 pictures (25 %), ", 0), 0U) << text;
  EXPECT_NE(text.find(" s left\n"), std::string::npos) << text;
}

TEST(progress, says_nothing_on_ranks_that_do_not_report) {
  EXPECT_EQ(printed_by(40, 40, false), "");
}

TEST(progress, ends_only_once) {
  testing::internal::CaptureStderr();
  {
    Progress progress("ingesting", "pictures", 2, true);
    progress.finish();
    progress.finish();
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
}

}  // namespace
}  // namespace whorl
