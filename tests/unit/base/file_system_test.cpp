// SPDX-License-Identifier: BSD-3-Clause
#include "base/file_system.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <future>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_message.hpp"

namespace whorl {
namespace {

using test::thrown_message;

std::ptrdiff_t files_in(const test::TemporaryFolder& folder) {
  return std::distance(std::filesystem::directory_iterator(folder.path()), {});
}

TEST(file_system, reads_back_what_it_wrote) {
  const test::TemporaryFolder folder;
  std::string text("nul \0 and \xff", 11);
  for (int i = 0; i < 100'000; ++i) text += static_cast<char>(i % 251);
  write_file_atomically(folder / "a", text);
  EXPECT_EQ(read_text_file(folder / "a"), text);
  write_file_atomically(folder / "a", "short");
  EXPECT_EQ(read_text_file(folder / "a"), "short");
  EXPECT_EQ(files_in(folder), 1) << "a draft was left";
}

TEST(file_system, failed_writes_leave_the_old_file_and_nothing_else) {
  const test::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "target");  // a rename onto a folder fails
  EXPECT_THROW(write_file_atomically(folder / "target", "text"), Error);
  EXPECT_EQ(files_in(folder), 1);
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
            "cannot create " + (folder / "no/file").string() + ": No such file or directory");
  EXPECT_EQ(thrown_message<Error>([&] { publish_file(missing, folder / "x"); }),
            "cannot open " + missing + ": No such file or directory");
}

TEST(file_system, a_fifo_in_the_place_of_a_file_is_an_error_and_not_waited_for) {
  const test::TemporaryFolder folder;
  const std::string fifo = (folder / "fifo").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const auto expect_refusal = [&](const auto& read) {
    auto message = std::async(std::launch::async, [&] { return thrown_message<Error>(read); });
    const bool waits = message.wait_for(std::chrono::seconds(10)) != std::future_status::ready;
    const Descriptor writer(waits ? ::open(fifo.c_str(), O_RDWR | O_CLOEXEC) : -1);  // ends the waiting
    EXPECT_FALSE(waits);
    EXPECT_EQ(message.get(), "cannot read " + fifo + ": not a regular file");
  };
  expect_refusal([&] { require_readable(fifo); });
  expect_refusal([&] { read_text_file(fifo); });
}

TEST(file_system, what_never_ends_is_not_read_to_the_end) {
  if (!std::filesystem::exists("/dev/zero")) GTEST_SKIP() << "this system has no /dev/zero";
  EXPECT_EQ(thrown_message<Error>([] { read_text_file("/dev/zero"); }),
            "cannot read /dev/zero: not a regular file");
  EXPECT_EQ(thrown_message<Error>([] { read_text_input("/dev/zero"); }),
            "cannot read /dev/zero: it is longer than 16.0 MB");
}

TEST(file_system, an_input_may_come_out_of_a_pipe) {
  const test::TemporaryFolder folder;
  const std::string fifo = (folder / "fifo").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const auto writer = std::async(std::launch::async, [&] { append_to_file(fifo, "words"); });
  EXPECT_EQ(read_text_input(fifo), "words");
}

TEST(file_system, a_full_disk_is_an_error) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  const test::TemporaryFolder folder;
  std::filesystem::create_symlink("/dev/full", folder / "report");
  EXPECT_EQ(thrown_message<Error>([&] { append_to_file(folder / "report", "x"); }),
            "cannot write " + (folder / "report").string() + ": No space left on device");
}

TEST(Draft, AppearsUnderItsNameWhenPublished) {
  const test::TemporaryFolder folder;
  Draft draft(folder / "report");
  append_to_file(draft.path(), "words");
  EXPECT_FALSE(std::filesystem::exists(folder / "report"));
  EXPECT_TRUE(is_draft(draft.path()));
  draft.publish();
  EXPECT_EQ(read_text_file(folder / "report"), "words");
  EXPECT_EQ(files_in(folder), 1);
}

TEST(Draft, IsRemovedWhereItIsNotPublished) {
  const test::TemporaryFolder folder;
  { const Draft draft(folder / "report"); }
  EXPECT_EQ(files_in(folder), 0);
}

TEST(Draft, EachHasANameOfItsOwn) {
  const test::TemporaryFolder folder;
  const Draft first(folder / "report"), second(folder / "report");
  EXPECT_NE(first.path(), second.path());
}

TEST(Draft, OfKilledProcessesCanBeRemoved) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / ".draft-0a1b2c3d-report", "left by a process that was killed");
  write_file_atomically(folder / ".drafty", "mine");
  remove_drafts(folder.path());
  EXPECT_EQ(files_in(folder), 1);
  EXPECT_EQ(read_text_file(folder / ".drafty"), "mine");
}

TEST(file_system, empties_files_that_exist) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "a", "words");
  create_empty_file(folder / "a");
  EXPECT_EQ(read_text_file(folder / "a"), "");
}

}  // namespace
}  // namespace whorl
