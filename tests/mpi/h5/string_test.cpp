// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "h5/file.hpp"
#include "support/thrown_message.hpp"

namespace whorl::h5 {
namespace {

using mpi::Communicator;

TEST(h5_strings, are_written_by_all_ranks) {
  const Communicator world = Communicator::world();
  // Rank r writes r + 1 names, starting behind those of the lower ranks; rank 0's is empty, and some are not
  // ASCII.
  const int first = world.exclusive_sum(world.rank() + 1);
  std::vector<std::string> mine;
  for (int i = 0; i <= world.rank(); ++i)
    mine.push_back(world.rank() == 0 ? "" : "Blüte-" + std::to_string(first + i));
  const int count = world.sum(world.rank() + 1);
  File file = File::create_parallel(world, "strings.h5");
  create_strings(file, "train/names", static_cast<hsize_t>(count), 9);
  write_strings(file, "train/names", static_cast<hsize_t>(first), mine);
  file.close();

  const File written = File::open_read("strings.h5");
  const std::vector<std::string> all = read_strings(written, "train/names");
  ASSERT_EQ(static_cast<int>(all.size()), count);
  EXPECT_EQ(all[0], "");
  for (int i = 1; i < count; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], "Blüte-" + std::to_string(i));
  EXPECT_EQ(read_strings(written, "train/names", static_cast<hsize_t>(first), mine.size()), mine);
  EXPECT_EQ(read_strings(written, "train/names", static_cast<hsize_t>(count), 0), std::vector<std::string>{});
}

TEST(h5_strings, an_empty_list_is_a_list) {
  const Communicator world = Communicator::world();
  File file = File::create_parallel(world, "empty-strings.h5");
  create_strings(file, "names", 0, 1);
  write_strings(file, "names", 0, {});
  file.close();
  EXPECT_EQ(read_strings(File::open_read("empty-strings.h5"), "names"), std::vector<std::string>{});
}

TEST(h5_strings, refuses_what_does_not_fit) {
  const std::string path = "narrow-" + std::to_string(Communicator::world().rank()) + ".h5";
  const File file = File::create(path);
  create_strings(file, "names", 2, 4);
  EXPECT_EQ(test::thrown_message<Error>([&] { write_strings(file, "names", 0, {"tulip"}); }),
            "\"tulip\" is longer than 4 bytes");
  EXPECT_EQ(test::thrown_message<Error>([&] {
              write_strings(file, "names", 1, {"a", "b"});
            }),
            "names in " + path + " has 2 rows; 2 from 1 on do not exist");
  Dataset::create<float>(file, "numbers", {2});
  EXPECT_EQ(test::thrown_message<Error>([&] { read_strings(file, "numbers"); }),
            "cannot read numbers in " + path + ": it is not text of fixed length");
}

}  // namespace
}  // namespace whorl::h5
