// SPDX-License-Identifier: BSD-3-Clause
// A file of 10^9 pictures, sparse on the disk: memory must not grow with their number.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <vector>

#include "dataset/rank_order.hpp"
#include "dataset/reader.hpp"
#include "h5/file.hpp"
#include "support/temporary_folder.hpp"

namespace whorl::dataset {
namespace {

constexpr std::int64_t huge = 1'000'000'000;
constexpr int side = 8;

void create_sparse(const h5::File& file, const char* name, hid_t type, const std::vector<hsize_t>& shape) {
  const h5::PropertyList creation(H5Pcreate(H5P_DATASET_CREATE));
  h5::check(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY), "set the allocation");
  h5::check(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER), "set the filling");
  const h5::PropertyList links(H5Pcreate(H5P_LINK_CREATE));
  h5::check(H5Pset_create_intermediate_group(links.get(), 1), "make groups");
  const h5::Space space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
  const h5::DatasetId dataset(h5::check_id(
      H5Dcreate2(file.id(), name, type, space.get(), links.get(), creation.get(), H5P_DEFAULT), name));
}

void create_split(const h5::File& file, const std::string& split, hsize_t count) {
  create_sparse(file, (split + "/images").c_str(), H5T_STD_U8LE, {count, side, side, 3});
  create_sparse(file, (split + "/labels").c_str(), H5T_STD_I32LE, {count});
}

std::vector<std::uint8_t> picture(std::int64_t sample) {
  std::vector<std::uint8_t> pixels(side * side * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>((static_cast<std::size_t>(sample % 1009) + i * i) % 251);
  return pixels;
}

/// Some pictures are written; all others are holes.
void write_file(const std::filesystem::path& path, const std::vector<std::int64_t>& written) {
  h5::File file = h5::File::create(path);
  h5::write_attribute(file, "/", "format", std::string(format_name));
  h5::write_attribute(file, "/", "schema_version", schema_version);
  h5::write_attribute(file, "/", "class_names", std::vector<std::string>{"dark", "bright"});
  for (const char* name : {"channel_mean", "channel_std"})
    h5::write_attribute(file, "/", name, std::vector<double>{0.5, 0.5, 0.5});
  h5::write_attribute(file, "/", "source_digest", std::string("0"));
  h5::write_attribute(file, "/", "storage", std::string("pixels"));
  h5::write_attribute(file, "/", "image_size", std::int64_t{side});
  create_split(file, "train", huge);
  create_split(file, "test", 1);
  const auto images = h5::Dataset::open(file, "train/images"),
             labels = h5::Dataset::open(file, "train/labels");
  const std::int32_t bright = 1;
  for (const std::int64_t sample : written) {
    images.write_rows<std::uint8_t>(static_cast<hsize_t>(sample), picture(sample));
    labels.write_rows<std::int32_t>(static_cast<hsize_t>(sample), {&bright, 1});
  }
  file.close();
}

std::int64_t peak_megabytes() {
  struct rusage usage {};
  EXPECT_EQ(getrusage(RUSAGE_SELF, &usage), 0);
  return usage.ru_maxrss / 1000;
}

TEST(HugeFile, IsOpenedAndShuffledInConstantMemory) {
#ifdef WHORL_SANITIZED
  GTEST_SKIP() << "a sanitizer's own memory would be measured";
#endif
  const test::TemporaryFolder folder;
  const auto path = folder / "huge.h5";
  const std::vector<std::int64_t> written{0, 1, 12345678, 500'000'001, huge - 1};
  write_file(path, written);

  const Reader reader(path);
  ASSERT_EQ(reader.info().train_count, huge);
  std::vector<std::uint8_t> pixels(reader.info().image_bytes());
  std::int32_t label = -1;
  const auto read = [&](std::int64_t sample) {
    reader.read_images(Split::train, {&sample, 1}, pixels.data());
    reader.read_labels(Split::train, {&sample, 1}, &label);
  };
  for (const std::int64_t sample : written) {
    read(sample);
    EXPECT_EQ(pixels, picture(sample)) << sample;
    EXPECT_EQ(label, 1);
  }
  std::int64_t upper_half = 0;
  for (const Order order : {Order::sequential, Order::shuffled, Order::window}) {
    RankOrder samples({order, 3, {}}, huge, 2, 1);
    for (int i = 0; i < 20000; ++i) {
      const std::int64_t sample = samples.next();
      read(sample);
      upper_half += sample >= huge / 2;
    }
  }
  EXPECT_GT(upper_half, 20000);
  EXPECT_LT(peak_megabytes(), 200);
}

}  // namespace
}  // namespace whorl::dataset
