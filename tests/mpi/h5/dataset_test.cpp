// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "base/block_range.hpp"
#include "base/file_system.hpp"
#include "h5/file.hpp"
#include "support/thrown_message.hpp"

namespace whorl::h5 {
namespace {

using mpi::Communicator;
using test::thrown_message;

template <typename T>
std::vector<T> distinct_values(std::size_t count, std::int64_t first) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<T>(first + static_cast<std::int64_t>(i));
  return values;
}

// Rows split over the ranks by `weights` of unequal size; zero rows for some.
template <typename T>
void write_and_read_back(const std::string& path, hsize_t rows, bool all_on_last_rank) {
  const Communicator world = Communicator::world();
  Range mine = block_range(static_cast<std::int64_t>(rows), world.size(), world.rank());
  if (all_on_last_rank)
    mine = world.rank() == world.size() - 1 ? Range{0, static_cast<std::int64_t>(rows)} : Range{};
  File file = File::create_parallel(world, path);
  const Dataset dataset = Dataset::create<T>(file, "values", {rows, 2, 3});
  EXPECT_EQ(dataset.row_size(), 6U);
  const auto values = distinct_values<T>(static_cast<std::size_t>(mine.size()) * 6, mine.begin * 6 + 1);
  dataset.write_rows_all(static_cast<hsize_t>(mine.begin), std::span<const T>(values));
  file.close();

  const File written = File::open_read(path);
  const Dataset copy = Dataset::open(written, "values");
  EXPECT_EQ(copy.shape(), (std::vector<hsize_t>{rows, 2, 3}));
  EXPECT_EQ(copy.read_all<T>(), distinct_values<T>(rows * 6, 1));
}

TEST(h5_dataset, keeps_every_type_bit_for_bit) {
  write_and_read_back<std::uint8_t>("u8.h5", 41, false);
  write_and_read_back<std::int32_t>("i32.h5", 1037, false);
  write_and_read_back<std::int64_t>("i64.h5", 13, false);
  write_and_read_back<std::uint64_t>("u64.h5", 13, false);
  write_and_read_back<float>("f32.h5", 1037, false);
  write_and_read_back<double>("f64.h5", 5, false);
}

TEST(h5_dataset, is_written_collectively_by_ranks_without_rows) {
  write_and_read_back<std::int32_t>("last.h5", 3000, true);
  write_and_read_back<std::int32_t>("few.h5", 1, false);  // fewer rows than ranks
  write_and_read_back<std::int32_t>("none.h5", 0, false);
}

TEST(h5_dataset, takes_several_collective_writes_of_different_sizes) {
  const Communicator world = Communicator::world();
  const int n = world.size();
  File file = File::create_parallel(world, "rounds.h5");
  const Dataset dataset = Dataset::create<std::uint8_t>(file, "values", {static_cast<hsize_t>(10 * n), 4});
  for (int round = 0; round < 4; ++round) {  // rank r writes rows only in the rounds that its number allows
    const hsize_t rows = round <= world.rank() ? 2 : 0;
    const hsize_t first = static_cast<hsize_t>(10 * world.rank() + 2 * round);
    dataset.write_rows_all(first,
                           std::span<const std::uint8_t>(distinct_values<std::uint8_t>(rows * 4, first * 4)));
  }
  file.close();
  const File written = File::open_read("rounds.h5");
  const auto all = Dataset::open(written, "values").read_all<std::uint8_t>();
  for (int rank = 0; rank < n; ++rank) {
    for (std::size_t i = 0; i < 8U * std::min<std::size_t>(4, static_cast<std::size_t>(rank) + 1); ++i) {
      const std::size_t index = 40U * static_cast<std::size_t>(rank) + i;
      ASSERT_EQ(all[index], static_cast<std::uint8_t>(index));
    }
  }
}

TEST(h5_dataset, lies_contiguous_and_aligned_in_its_file) {
  const Communicator world = Communicator::world();
  File file = File::create_parallel(world, "offset.h5");
  const Dataset small = Dataset::create<std::uint8_t>(file, "a", {3});
  const Dataset large = Dataset::create<float>(file, "b", {5000});
  const Dataset empty = Dataset::create<float>(file, "c", {0, 7});
  const std::vector<float> values = distinct_values<float>(5000, 5);
  large.write_rows_all(0, std::span<const float>(values).first(world.is_root() ? 5000 : 0));
  small.write_rows_all(0, std::span<const std::uint8_t>());
  const std::int64_t offset = large.file_offset();
  EXPECT_EQ(offset % 4096, 0);
  EXPECT_GT(offset, 0);
  EXPECT_GT(small.file_offset(), 0);
  EXPECT_EQ(empty.file_offset(), -1);
  file.close();
  const std::string bytes = read_text_file("offset.h5");
  ASSERT_GE(bytes.size(), static_cast<std::size_t>(offset) + 20000);
  EXPECT_EQ(std::memcmp(bytes.data() + offset, values.data(), 20000), 0);
}

TEST(h5_dataset, reads_and_writes_single_rows_independently) {
  const Communicator world = Communicator::world();
  const auto rank = static_cast<hsize_t>(world.rank());
  File file = File::create_parallel(world, "rows.h5");
  const Dataset dataset =
      Dataset::create<std::int64_t>(file, "g/values", {static_cast<hsize_t>(world.size()), 3});
  const std::vector<std::int64_t> row{100 + world.rank(), -world.rank(), 7};
  dataset.write_rows(rank, std::span<const std::int64_t>(row));
  file.close();
  const File written = File::open_read("rows.h5");
  std::vector<std::int64_t> copy(3);
  Dataset::open(written, "g/values").read_rows(rank, std::span(copy));
  EXPECT_EQ(copy, row);
}

TEST(h5_dataset, refuses_rows_that_do_not_exist) {
  const Communicator world = Communicator::world();
  const std::string path = "refuse-" + std::to_string(world.rank()) + ".h5";
  const File file = File::create(path);
  const Dataset dataset = Dataset::create<float>(file, "values", {4, 2});
  std::vector<float> values(4);
  EXPECT_EQ(thrown_message<Error>([&] { dataset.write_rows(3, std::span<const float>(values)); }),
            "values in " + path + " has 4 rows; 2 from 3 on do not exist");
  EXPECT_EQ(thrown_message<Error>([&] { dataset.read_rows(5, std::span(values)); }),
            "values in " + path + " has 4 rows; 2 from 5 on do not exist");
  values.resize(3);
  EXPECT_EQ(thrown_message<Error>([&] { dataset.read_rows(0, std::span(values)); }),
            "3 elements are not whole rows of values (rows of 2)");
  EXPECT_EQ(thrown_message<Error>([&] { dataset.write_rows_all(0, std::span<const float>()); }),
            path + " was not opened in parallel");
}

TEST(h5_dataset, missing_datasets_are_named) {
  const std::string path = "missing-" + std::to_string(Communicator::world().rank()) + ".h5";
  const File file = File::create(path);
  const std::string message = thrown_message<Error>([&] { Dataset::open(file, "petals"); });
  EXPECT_EQ(message.rfind("cannot open petals in " + path + ": ", 0), 0U) << message;
  EXPECT_NE(message.find("object 'petals' doesn't exist"), std::string::npos) << message;
}

}  // namespace
}  // namespace whorl::h5
