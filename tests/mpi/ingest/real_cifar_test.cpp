// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "h5/file.hpp"
#include "ingest/compressed.hpp"
#include "ingest/ingest.hpp"
#include "ingest/tar.hpp"
#include "mpi/ingest/shared_folder.hpp"

namespace whorl::ingest {
namespace {

using dataset::Split;

// The records of all batches of a split, in order.
std::string records_of(const Listing& tar, const std::vector<std::string>& batches) {
  const InputFile file(tar.location);
  std::string records;
  for (const std::string& batch : batches) {
    for (const Entry& entry : tar.entries) {
      if (!entry.path.ends_with("/" + batch + ".bin")) continue;
      std::string bytes(static_cast<std::size_t>(entry.size), '\0');
      file.read(entry.offset, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
      records += bytes;
    }
  }
  return records;
}

void expect_equal(const h5::File& file, Split split, const std::string& records) {
  const auto images = h5::Dataset::open(file, dataset::object_name(split, "images")).read_all<std::uint8_t>();
  const auto labels = h5::Dataset::open(file, dataset::object_name(split, "labels")).read_all<std::int32_t>();
  ASSERT_EQ(labels.size() * 3073, records.size());
  ASSERT_EQ(images.size(), labels.size() * 3072);
  std::size_t differences = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const char* record = &records[i * 3073];
    differences += labels[i] != record[0] ? 1 : 0;
    for (std::size_t p = 0; p < 3072; ++p) {
      differences +=
          images[i * 3072 + p] != static_cast<std::uint8_t>(record[1 + p % 3 * 1024 + p / 3]) ? 1 : 0;
    }
  }
  EXPECT_EQ(differences, 0U) << dataset::to_string(split);
}

TEST(RealCifar, IsKeptBitForBitAndHasTheKnownStatistics) {
  const char* data = std::getenv("WHORL_DATA_DIR");
  if (data == nullptr) GTEST_SKIP() << "WHORL_DATA_DIR is not set, so there is no CIFAR-10 to read";
  const test::SharedFolder folder;
  if (folder.world.size() != 2) GTEST_SKIP() << "two ranks are enough for this large test";
  Options options;
  options.inputs = {folder / "cifar.tar"};
  options.output = folder / "cifar.h5";
  mpi::on_root(folder.world, [&] {
    decompress(InputFile(std::string(data) + "/cifar-10-binary.tar.xz"), folder / "cifar.tar");
  });
  ingest(folder.world, options);

  const Listing tar = list_tar(InputFile((folder / "cifar.tar").string()));
  const h5::File file = h5::File::open_read(folder / "cifar.h5");
  expect_equal(
      file, Split::train,
      records_of(tar, {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"}));
  expect_equal(file, Split::test, records_of(tar, {"test_batch"}));
  const std::vector<double> mean = h5::read_real_attribute(file, "/", "channel_mean"),
                            known_mean = {.4914, .4822, .4465};
  const std::vector<double> deviation = h5::read_real_attribute(file, "/", "channel_std"),
                            known_deviation = {.2470, .2435, .2616};
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(mean[c], known_mean[c], 5e-5);
    EXPECT_NEAR(deviation[c], known_deviation[c], 5e-5);
  }
  EXPECT_EQ(h5::read_strings_attribute(file, "/", "class_names").at(9), "truck");
}

}  // namespace
}  // namespace whorl::ingest
