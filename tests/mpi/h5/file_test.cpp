// SPDX-License-Identifier: BSD-3-Clause
#include "h5/file.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <thread>
#include <utility>

#include "base/block_range.hpp"
#include "base/digest.hpp"
#include "base/file_system.hpp"
#include "support/thrown_message.hpp"

namespace whorl::h5 {
namespace {

using mpi::Communicator;
using test::thrown_message;

// A small file with everything that a dataset file has, written by all ranks of `comm`.
void write_sample(const Communicator& comm, const std::string& path) {
  File file = File::create_parallel(comm, path);
  constexpr hsize_t rows = 1001;
  const Dataset images = Dataset::create<std::uint8_t>(file, "train/images", {rows, 3, 5});
  const Dataset labels = Dataset::create<std::int32_t>(file, "train/labels", {rows});
  create_strings(file, "train/names", rows, 12);
  const Range mine = block_range(rows, comm.size(), comm.rank());
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(mine.size()) * 15);
  std::vector<std::int32_t> numbers(static_cast<std::size_t>(mine.size()));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint8_t>((i + 15U * static_cast<std::size_t>(mine.begin)) * 31 % 253);
  }
  std::iota(numbers.begin(), numbers.end(), static_cast<std::int32_t>(mine.begin));
  for (std::int64_t row = mine.begin; row < mine.end; ++row) names.push_back("rose-" + std::to_string(row));
  const auto first = static_cast<hsize_t>(mine.begin);
  images.write_rows_all(first, std::span<const std::uint8_t>(pixels));
  labels.write_rows_all(first, std::span<const std::int32_t>(numbers));
  write_strings(file, "train/names", first, names);
  write_attribute(file, "/", "classes", std::vector<std::string>{"rose", "tulip"});
  write_attribute(file, "train/images", "mean", std::vector<double>{0.1, 0.2, 0.3});
  file.close();
}

std::string digest_of_file(const std::string& path) {
  Digest digest;
  digest.add(read_text_file(path));
  return digest.hex();
}

TEST(h5_file, has_the_same_bytes_for_any_number_of_ranks_and_at_any_time) {
  const Communicator world = Communicator::world();
  write_sample(world, "all-ranks.h5");
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // time stamps would differ
  // Ranks that are left out wait in the barrier.
  Communicator part = world.split(world.rank() == 0 ? 0 : 1, world.rank());
  if (world.rank() == 0) write_sample(part, "one-rank.h5");
  world.barrier();
  EXPECT_EQ(digest_of_file("all-ranks.h5"), digest_of_file("one-rank.h5"));
  part.close();
}

TEST(h5_file, looks_up_every_component_of_a_name) {
  const Communicator world = Communicator::world();
  write_sample(world, "lookup.h5");
  const File file = File::open_read("lookup.h5");
  EXPECT_FALSE(file.is_parallel());
  EXPECT_TRUE(file.contains("train"));
  EXPECT_TRUE(file.contains("train/images"));
  EXPECT_TRUE(file.contains("/train/images"));
  EXPECT_FALSE(file.contains("train/image"));
  EXPECT_FALSE(file.contains("test/images"));
  EXPECT_FALSE(file.contains("test"));
}

TEST(h5_file, files_of_one_process_need_no_communicator) {
  const Communicator world = Communicator::world();
  const std::string path = "own-" + std::to_string(world.rank()) + ".h5";
  {
    const File file = File::create(path);
    const Dataset values = Dataset::create<double>(file, "a/b/c", {4});
    values.write_rows(0, std::span<const double>(std::vector<double>{1.5, -2, 3, world.rank() + 0.25}));
  }
  File file = File::open_read(path);
  EXPECT_EQ(Dataset::open(file, "a/b/c").read_all<double>(),
            (std::vector<double>{1.5, -2, 3, world.rank() + 0.25}));
  File moved = std::move(file);
  EXPECT_TRUE(moved.contains("a/b"));
  moved.close();
  moved.close();  // closing twice is harmless
}

TEST(h5_file, errors_say_what_is_wrong_with_the_file) {
  const Communicator world = Communicator::world();
  EXPECT_EQ(thrown_message<Error>([] { File::open_read("missing.h5"); }),
            "cannot open missing.h5: No such file or directory");
  EXPECT_EQ(thrown_message<Error>([] { File::open_read("."); }), "cannot open .: Is a directory");
  mpi::on_root(world, [] { write_file_atomically("letter.h5", "Dear petal,\n"); });
  EXPECT_EQ(thrown_message<Error>([] { File::open_read("letter.h5"); }),
            "cannot read letter.h5: it is not an HDF5 file");
  EXPECT_EQ(thrown_message<CollectiveError>([&] { File::create_parallel(world, "no/folder.h5"); }),
            "cannot create no/folder.h5: No such file or directory");
  write_sample(world, "whole.h5");
  mpi::on_root(world, [] { write_file_atomically("cut.h5", read_text_file("whole.h5").substr(0, 5000)); });
  const std::string cut = thrown_message<Error>([] { File::open_read("cut.h5"); });
  EXPECT_NE(cut.find("cannot open cut.h5: "), std::string::npos) << cut;
  EXPECT_NE(cut.find("truncated file"), std::string::npos) << cut;
}

}  // namespace
}  // namespace whorl::h5
