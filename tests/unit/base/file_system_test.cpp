// SPDX-License-Identifier: BSD-3-Clause
#include "base/file_system.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_message.hpp"

namespace whorl {
namespace {

using test::thrown_message;

TEST(file_system, reads_back_what_it_wrote) {
  const test::TemporaryFolder folder;
  std::string text("nul \0 and \xff", 11);
  for (int i = 0; i < 100'000; ++i) text += static_cast<char>(i % 251);
  write_file_atomically(folder / "a", text);
  EXPECT_EQ(read_text_file(folder / "a"), text);
  write_file_atomically(folder / "a", "short");
  EXPECT_EQ(read_text_file(folder / "a"), "short");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1)
      << "a temporary file was left";
}

TEST(file_system, failed_writes_leave_the_old_file_and_nothing_else) {
  const test::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "target");  // a rename onto a folder fails
  EXPECT_THROW(write_file_atomically(folder / "target", "text"), Error);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(file_system, publishes_by_renaming) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "draft", "words");
  publish_file(folder / "draft", folder / "final");
  EXPECT_EQ(read_text_file(folder / "final"), "words");
  EXPECT_FALSE(std::filesystem::exists(folder / "draft"));
}

TEST(file_system, publishes_in_the_working_folder) {
  const test::TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_file_atomically("plain", "words");
  std::filesystem::current_path(before);
  EXPECT_EQ(read_text_file(folder / "plain"), "words");
}

TEST(file_system, errors_name_file_and_cause) {
  const test::TemporaryFolder folder;
  const std::string missing = (folder / "missing").string();
  EXPECT_EQ(thrown_message<Error>([&] { read_text_file(missing); }),
            "cannot open " + missing + ": No such file or directory");
  EXPECT_EQ(thrown_message<Error>([&] { require_readable(missing); }),
            "cannot open " + missing + ": No such file or directory");
  EXPECT_EQ(thrown_message<Error>([&] { require_readable(folder.path()); }),
            "cannot open " + folder.path().string() + ": Is a directory");
  EXPECT_EQ(thrown_message<Error>([&] { write_file_atomically(folder / "no/file", "x"); }),
            "cannot create " + (folder / "no/file.tmp").string() + ": No such file or directory");
  EXPECT_EQ(thrown_message<Error>([&] { publish_file(missing, folder / "x"); }),
            "cannot open " + missing + ": No such file or directory");
}

TEST(file_system, a_full_disk_is_an_error) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  const test::TemporaryFolder folder;
  std::filesystem::create_symlink("/dev/full", folder / "report.tmp");
  EXPECT_EQ(thrown_message<Error>([&] { write_file_atomically(folder / "report", "x"); }),
            "cannot write " + (folder / "report.tmp").string() + ": No space left on device");
}

TEST(file_system, empties_files_that_exist) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "a", "words");
  create_empty_file(folder / "a");
  EXPECT_EQ(read_text_file(folder / "a"), "");
}

}  // namespace
}  // namespace whorl
