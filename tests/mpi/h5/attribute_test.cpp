// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "h5/file.hpp"
#include "support/thrown_message.hpp"

namespace whorl::h5 {
namespace {

using mpi::Communicator;

TEST(h5_attributes, come_back_as_they_were_written) {
  const Communicator world = Communicator::world();
  std::vector<std::string> many;  // 10,000 class names are more than the 64 KB of HDF5's compact attributes
  for (int i = 0; i < 10'000; ++i) many.push_back("class-" + std::to_string(i));
  {
    File file = File::create_parallel(world, "attributes.h5");
    Dataset::create<float>(file, "train/images", {3});
    write_attribute(file, "/", "version", std::int64_t{-5'000'000'000});
    write_attribute(file, "/", "title", std::string("Blüten"));
    write_attribute(file, "/", "nothing", std::string());
    write_attribute(file, "train", "classes", std::vector<std::string>{"rose", "", "sunflower"});
    write_attribute(file, "train", "many", many);
    write_attribute(file, "train", "no names", std::vector<std::string>{});
    write_attribute(file, "train/images", "mean", std::vector<double>{0.4914, 0.4822, 1.0 / 3});
    file.close();
  }
  const File file = File::open_read("attributes.h5");
  EXPECT_EQ(read_integer_attribute(file, "/", "version"), -5'000'000'000);
  EXPECT_EQ(read_text_attribute(file, "/", "title"), "Blüten");
  EXPECT_EQ(read_text_attribute(file, "/", "nothing"), "");
  EXPECT_EQ(read_strings_attribute(file, "train", "classes"),
            (std::vector<std::string>{"rose", "", "sunflower"}));
  EXPECT_EQ(read_strings_attribute(file, "train", "many"), many);
  EXPECT_EQ(read_strings_attribute(file, "train", "no names"), std::vector<std::string>{});
  EXPECT_EQ(read_real_attribute(file, "train/images", "mean"),
            (std::vector<double>{0.4914, 0.4822, 1.0 / 3}));
  EXPECT_TRUE(has_attribute(file, "/", "title"));
  EXPECT_FALSE(has_attribute(file, "train", "title"));
}

TEST(h5_attributes, errors_name_attribute_object_and_file) {
  const std::string path = "wrong-" + std::to_string(Communicator::world().rank()) + ".h5";
  const File file = File::create(path);
  write_attribute(file, "/", "numbers", std::vector<double>{1, 2});
  const std::string missing =
      test::thrown_message<Error>([&] { read_integer_attribute(file, "/", "petals"); });
  EXPECT_EQ(missing.rfind("cannot read the attribute petals of / in " + path + ": ", 0), 0U) << missing;
  EXPECT_EQ(test::thrown_message<Error>([&] { read_integer_attribute(file, "/", "numbers"); }),
            "cannot read the attribute numbers of / in " + path + ": it holds 2 values, not one number");
  EXPECT_EQ(test::thrown_message<Error>([&] { read_strings_attribute(file, "/", "numbers"); }),
            "cannot read the attribute numbers of / in " + path + ": it is not text of fixed length");
  const std::string no_object = test::thrown_message<Error>([&] { has_attribute(file, "train", "x"); });
  EXPECT_EQ(no_object.rfind("cannot open train in " + path + ": ", 0), 0U) << no_object;
}

}  // namespace
}  // namespace whorl::h5
