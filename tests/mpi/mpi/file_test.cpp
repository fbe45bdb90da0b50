// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "base/file_system.hpp"
#include "support/thrown_message.hpp"

namespace whorl::mpi {
namespace {

constexpr std::int64_t step = 10;  // bytes per MPI call, so that small reads cross every boundary

std::byte byte_at(std::int64_t offset) {
  return static_cast<std::byte>(offset * 37 % 251);
}

// A file of `size` bytes in the working folder, which all ranks of a test share.
std::string write_sample(const Communicator& world, std::int64_t size) {
  const std::string path = "sample.bin";
  on_root(world, [&] {
    std::string text;
    for (std::int64_t offset = 0; offset < size; ++offset) text += static_cast<char>(byte_at(offset));
    write_file_atomically(path, text);
  });
  return path;
}

void expect_bytes(std::int64_t offset, const std::vector<std::byte>& bytes) {
  for (const std::byte byte : bytes) {
    ASSERT_EQ(byte, byte_at(offset)) << "at byte " << offset;
    ++offset;
  }
}

TEST(mpi_file, reads_independently_in_steps) {
  const Communicator world = Communicator::world();
  File file = File::open(world, write_sample(world, 1000), File::Mode::read, step);
  EXPECT_EQ(file.size(), 1000);
  for (const std::size_t length : {0U, 1U, 9U, 10U, 11U, 35U}) {
    const std::int64_t offset = 100 * world.rank() + 3;
    std::vector<std::byte> bytes(length);
    file.read_at(offset, bytes);
    expect_bytes(offset, bytes);
  }
  file.close();
}

// Length of rank `rank` in case `which`: equal, empty on some, everything on one rank, very unequal.
std::size_t unequal_length(int which, int rank, int ranks) {
  switch (which) {
    case 0:
      return 40;
    case 1:
      return rank % 2 == 0 ? 0 : 25;
    case 2:
      return rank == ranks - 1 ? 5000 : 0;
    case 3:
      return rank == 0 ? 3001 : 1;
    case 4:
      return 0;
    default:
      return static_cast<std::size_t>(7 + 311 * rank);
  }
}

TEST(mpi_file, reads_collectively_with_unequal_and_empty_parts) {
  const Communicator world = Communicator::world();
  const std::string path = write_sample(world, 9000);
  for (const std::int64_t bytes_per_call : {std::int64_t{100}, std::int64_t{1} << 30}) {
    File file = File::open(world, path, File::Mode::read, bytes_per_call);
    for (int which = 0; which < 6; ++which) {
      const std::int64_t offset = 17 * world.rank() + 1000 * which;
      std::vector<std::byte> bytes(unequal_length(which, world.rank(), world.size()));
      bytes.resize(std::min(bytes.size(), static_cast<std::size_t>(9000 - offset)));
      file.read_at_all(offset, bytes);
      expect_bytes(offset, bytes);
    }
    file.close();
  }
}

TEST(mpi_file, writes_from_all_ranks) {
  const Communicator world = Communicator::world();
  {
    const File file = File::open(world, "written.bin", File::Mode::create, step);
    std::vector<std::byte> bytes(33);
    const std::int64_t offset = 33 * world.rank();
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = byte_at(offset + static_cast<std::int64_t>(i));
    file.write_at(offset, bytes);
  }
  File file = File::open(world, "written.bin", File::Mode::read);
  ASSERT_EQ(file.size(), 33 * world.size());
  std::vector<std::byte> all(static_cast<std::size_t>(file.size()));
  file.read_at_all(0, all);
  expect_bytes(0, all);
  file.close();
  File emptied = File::open(world, "written.bin", File::Mode::create);
  EXPECT_EQ(emptied.size(), 0);
  emptied.close();
}

TEST(mpi_file, missing_files_and_folders_are_named_on_every_rank) {
  const Communicator world = Communicator::world();
  const auto open = [&](const std::string& path, File::Mode mode) {
    return test::thrown_message<CollectiveError>([&] { File::open(world, path, mode); });
  };
  EXPECT_EQ(open("no-such-file", File::Mode::read), "cannot open no-such-file: No such file or directory");
  EXPECT_EQ(open(".", File::Mode::read), "cannot open .: Is a directory");
  EXPECT_EQ(open("no/folder", File::Mode::create), "cannot create no/folder: No such file or directory");
  EXPECT_EQ(world.sum(1), world.size()) << "the ranks are out of step";
}

TEST(mpi_file, reading_past_the_end_is_an_error) {
  const Communicator world = Communicator::world();
  File file = File::open(world, write_sample(world, 100), File::Mode::read, step);
  std::vector<std::byte> bytes(25);
  EXPECT_EQ(test::thrown_message<Error>([&] { file.read_at(88, bytes); }),
            "sample.bin has 100 bytes; 25 bytes from 88 on do not exist");
  EXPECT_EQ(test::thrown_message<Error>([&] { file.read_at_all(76, bytes); }),
            "sample.bin has 100 bytes; 25 bytes from 76 on do not exist");
  file.close();
}

TEST(mpi_file, moves) {
  const Communicator world = Communicator::world();
  File first = File::open(world, write_sample(world, 50), File::Mode::read);
  File second = std::move(first);
  EXPECT_EQ(second.size(), 50);
  first = std::move(second);
  EXPECT_EQ(first.size(), 50);
  first.close();
  first.close();  // closing twice is harmless
}

TEST(mpi_file, refuses_steps_beyond_one_mpi_call) {
  EXPECT_THROW(File::open(Communicator::self(), "x", File::Mode::create, 0), Error);
  EXPECT_THROW(File::open(Communicator::self(), "x", File::Mode::create, std::int64_t{1} << 31), Error);
}

}  // namespace
}  // namespace whorl::mpi
