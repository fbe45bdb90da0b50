// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/ingest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "h5/file.hpp"
#include "image/jpeg.hpp"
#include "mpi/ingest/shared_folder.hpp"

namespace whorl::ingest {
namespace {

namespace fs = std::filesystem;
using dataset::Split;
using dataset::Storage;
using testing::HasSubstr;

constexpr int size = 32;

class IngestTest : public testing::Test {
 protected:
  Options options(const std::string& input, const std::string& output) const {
    Options result;
    result.inputs = {folder_ / input};
    result.output = folder_ / output;
    result.size = size;
    result.max_rejects = 1;
    return result;
  }
  template <typename Make>
  void prepare(Make make) {
    mpi::on_root(folder_.world, make);
  }
  // Runs ingest with the first `ranks` ranks of the world; the others wait.
  void run_with(int ranks, const Options& options) const {
    mpi::Communicator some = folder_.world.split(folder_.world.rank() < ranks ? 0 : 1, folder_.world.rank());
    if (folder_.world.rank() < ranks) ingest(some, options);
    folder_.world.barrier();
  }
  std::string bytes_of(const std::string& name) const { return read_text_file(folder_ / name); }
  std::vector<std::string> names_in_folder() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / ""))
      names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }

  test::SharedFolder folder_;
};

TEST_F(IngestTest, TheBytesDoNotDependOnTheNumberOfRanks) {
  const auto files = test::picture_tree(3, 9, true);
  prepare([&] {
    test::write_tree(folder_ / "tree", files);
    test::write_file(folder_ / "tar", test::tar_of({files.rbegin(), files.rend()}));
  });
  for (const Storage storage : {Storage::pixels, Storage::jpeg}) {
    const std::string first = std::string(dataset::to_string(storage)) + "-first";
    Options base = options("tree", first);
    base.storage = storage;
    run_with(1, base);
    for (const std::string input : {"tree", "tar"}) {
      for (int ranks = 1; ranks <= folder_.world.size(); ++ranks) {
        Options same = base;
        same.inputs = {folder_ / input};
        same.output = folder_ / "again";
        same.overwrite = true;
        run_with(ranks, same);
        EXPECT_EQ(bytes_of(first) == bytes_of("again"), true)
            << input << ", " << ranks << " ranks, " << dataset::to_string(storage);
      }
    }
  }
  EXPECT_EQ(names_in_folder(),
            (std::vector<std::string>{"again", "jpeg-first", "pixels-first", "tar", "tree"}));
}

struct Expected {
  std::string name;
  std::int32_t label = 0;
  std::vector<std::uint8_t> pixels;
};

// What must be in a split, worked out from the pictures alone.
std::vector<Expected> expected_of(const std::vector<test::TreeFile>& files,
                                  const std::vector<std::string>& names) {
  std::vector<Expected> result;
  for (const std::string& name : names) {
    const auto file = std::ranges::find(files, "flowers/" + name, &test::TreeFile::path);
    if (file == files.end()) throw Error("no such picture: {}", name);
    Expected expected{name, name[6] - '0', std::vector<std::uint8_t>(3 * size * size)};
    image::decode_jpeg_square(
        {reinterpret_cast<const std::uint8_t*>(file->content.data()), file->content.size()}, size,
        expected.pixels.data());
    result.push_back(std::move(expected));
  }
  return result;
}

std::vector<Expected> stored_in(const h5::File& file, Split split) {
  const auto images = h5::Dataset::open(file, dataset::object_name(split, "images"));
  EXPECT_EQ(images.shape(), (std::vector<hsize_t>{images.rows(), size, size, 3}));
  EXPECT_EQ(images.file_offset() % 4096, 0);
  const auto labels = h5::Dataset::open(file, dataset::object_name(split, "labels")).read_all<std::int32_t>();
  const auto names = h5::read_strings(file, dataset::object_name(split, "names"));
  const auto pixels = images.read_all<std::uint8_t>();
  std::vector<Expected> result;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto begin = pixels.begin() + static_cast<std::ptrdiff_t>(i) * 3 * size * size;
    result.push_back({names[i], labels[i], {begin, begin + 3 * size * size}});
  }
  return result;
}

TEST_F(IngestTest, TheFileHoldsEveryPictureItsNameAndLabel) {
  const auto files = test::picture_tree(3, 9, true);
  prepare([&] { test::write_tree(folder_ / "tree", files); });
  run_with(folder_.world.size(), options("tree", "out.h5"));
  const h5::File file = h5::File::open_read(folder_ / "out.h5");
  std::vector<std::string> all_names;
  std::array<double, 3> sum{};
  double count = 0;
  for (const Split split : {Split::train, Split::test}) {
    const std::vector<Expected> stored = stored_in(file, split);
    std::vector<std::string> names;
    names.reserve(stored.size());
    for (const Expected& picture : stored) names.push_back(picture.name);
    EXPECT_TRUE(std::ranges::is_sorted(names));
    const std::vector<Expected> expected = expected_of(files, names);
    for (std::size_t i = 0; i < stored.size(); ++i) {
      EXPECT_EQ(stored[i].label, expected[i].label) << names[i];
      EXPECT_EQ(stored[i].pixels == expected[i].pixels, true) << names[i];
      for (std::size_t p = 0; split == Split::train && p < stored[i].pixels.size(); ++p)
        sum[p % 3] += stored[i].pixels[p];
    }
    if (split == Split::train) count = static_cast<double>(stored.size()) * size * size;
    all_names.insert(all_names.end(), names.begin(), names.end());
  }
  EXPECT_EQ(all_names.size(), 27U);
  const std::vector<double> mean = h5::read_real_attribute(file, "/", "channel_mean");
  for (std::size_t c = 0; c < 3; ++c) EXPECT_DOUBLE_EQ(mean[c], sum[c] / count / 255);
  EXPECT_EQ(h5::read_strings_attribute(file, "/", "class_names"),
            (std::vector<std::string>{"class-0", "class-1", "class-2"}));
  EXPECT_EQ(h5::read_integer_attribute(file, "/", "image_size"), size);
  EXPECT_EQ(h5::read_text_attribute(file, "/", "storage"), "pixels");
}

TEST_F(IngestTest, RejectedPicturesAreNamedWithTheirReason) {
  prepare([&] { test::write_tree(folder_ / "tree", test::picture_tree(2, 5, true)); });
  run_with(folder_.world.size(), options("tree", "out.h5"));
  const h5::File file = h5::File::open_read(folder_ / "out.h5");
  std::map<std::string, std::string> reasons;
  const auto names = h5::read_strings(file, "rejected/name"),
             texts = h5::read_strings(file, "rejected/reason");
  for (std::size_t i = 0; i < names.size(); ++i) reasons[names[i]] = texts.at(i);
  ASSERT_EQ(reasons.size(), 3U);
  EXPECT_THAT(reasons["class-0/notes.txt"], HasSubstr("Not a JPEG"));
  EXPECT_NE(reasons["class-1/empty.jpg"], "");
  EXPECT_NE(reasons["class-1/short.jpg"], "");
}

TEST_F(IngestTest, StoredJpegsDecodeToPicturesCloseToTheOriginals) {
  const auto files = test::picture_tree(3, 9, true);
  prepare([&] { test::write_tree(folder_ / "tree", files); });
  Options jpeg = options("tree", "out.h5");
  jpeg.storage = Storage::jpeg;
  jpeg.quality = 95;
  run_with(folder_.world.size(), jpeg);
  const h5::File file = h5::File::open_read(folder_ / "out.h5");
  std::size_t pictures = 0;
  std::array<double, 3> sum{};
  double count = 0;
  for (const Split split : {Split::train, Split::test}) {
    const auto offsets =
        h5::Dataset::open(file, dataset::object_name(split, "jpeg_offsets")).read_all<std::uint64_t>();
    const auto bytes =
        h5::Dataset::open(file, dataset::object_name(split, "jpeg_bytes")).read_all<std::uint8_t>();
    const auto expected = expected_of(files, h5::read_strings(file, dataset::object_name(split, "names")));
    ASSERT_EQ(offsets.size(), expected.size() + 1);
    EXPECT_EQ(offsets.front(), 0U);
    EXPECT_EQ(offsets.back(), bytes.size());
    for (std::size_t i = 0; i < expected.size(); ++i, ++pictures) {
      const image::Image decoded =
          image::decode_jpeg(std::span(bytes).subspan(offsets[i], offsets[i + 1] - offsets[i]));
      ASSERT_EQ(decoded.pixels.size(), expected[i].pixels.size());
      double difference = 0;
      for (std::size_t p = 0; p < decoded.pixels.size(); ++p) {
        difference += std::abs(int{decoded.pixels[p]} - int{expected[i].pixels[p]});
        if (split == Split::train) sum[p % 3] += decoded.pixels[p];
      }
      EXPECT_LT(difference / static_cast<double>(decoded.pixels.size()), 6) << expected[i].name;
      if (split == Split::train) count += size * size;
    }
  }
  EXPECT_EQ(pictures, 27U);
  const std::vector<double> mean = h5::read_real_attribute(file, "/", "channel_mean");
  for (std::size_t c = 0; c < 3; ++c)
    EXPECT_DOUBLE_EQ(mean[c], sum[c] / count / 255);  // of what a reader gets
}

TEST_F(IngestTest, CifarIsKeptBitForBit) {
  prepare([&] {
    test::write_file(folder_ / "c/data_batch_1.bin", test::cifar_records(1, 7));
    test::write_file(folder_ / "c/data_batch_2.bin", test::cifar_records(2, 6));
    test::write_file(folder_ / "c/test_batch.bin", test::cifar_records(3, 2));
  });
  run_with(folder_.world.size(), options("c", "out.h5"));
  const h5::File file = h5::File::open_read(folder_ / "out.h5");
  const std::vector<Expected> train = stored_in(file, Split::train), test = stored_in(file, Split::test);
  ASSERT_EQ(train.size(), 13U);
  ASSERT_EQ(test.size(), 2U);
  const std::string source =
      test::cifar_records(1, 7) + test::cifar_records(2, 6) + test::cifar_records(3, 2);
  for (std::size_t i = 0; i < 15; ++i) {
    const Expected& picture = i < 13 ? train[i] : test[i - 13];
    const std::string record = source.substr(i * 3073, 3073);
    EXPECT_EQ(picture.label, record[0]);
    for (std::size_t p = 0; p < 3072; ++p) {
      ASSERT_EQ(picture.pixels[p], static_cast<std::uint8_t>(record[1 + p % 3 * 1024 + p / 3]))
          << i << " " << p;
    }
  }
}

TEST_F(IngestTest, TooManyRejectsFailAndLeaveTheOldFileAlone) {
  prepare([&] {
    test::write_tree(folder_ / "tree", test::picture_tree(2, 5, true));
    test::write_file(folder_ / "out.h5", "the old file");
  });
  Options strict = options("tree", "out.h5");
  strict.overwrite = true;
  strict.max_rejects = 0.2;  // 3 of 13 are broken
  try {
    ingest(folder_.world, strict);
    FAIL() << "no error";
  } catch (const CollectiveError& error) {
    EXPECT_THAT(error.what(), HasSubstr("3 of 13 pictures cannot be used, more than the 2 "));
    EXPECT_THAT(error.what(), HasSubstr("class-0/notes.txt: Not a JPEG"));
  }
  folder_.world.barrier();
  EXPECT_EQ(bytes_of("out.h5"), "the old file");
}

TEST_F(IngestTest, MoreRanksThanPicturesWork) {
  prepare([&] {
    test::write_file(folder_ / "tar", test::tar_of({{"a/1.jpg", test::jpeg_bytes(50, 40, 1)}}));
  });
  Options one = options("tar", "out.h5");
  one.test_fraction = 0;
  const Summary summary = ingest(folder_.world, one);
  EXPECT_EQ(summary.class_counts[0], std::vector<std::int64_t>{1});
  EXPECT_EQ(summary.class_counts[1], std::vector<std::int64_t>{0});
  EXPECT_EQ(h5::Dataset::open(h5::File::open_read(folder_ / "out.h5"), "test/images").rows(), 0U);
}

TEST_F(IngestTest, OutputsThatCannotBeWrittenAreRefusedByAllRanks) {
  prepare([&] {
    test::write_tree(folder_ / "tree", test::picture_tree(2, 2, false));
    test::write_file(folder_ / "there.h5", "x");
  });
  const auto error_of = [&](const Options& wrong) -> std::string {
    try {
      ingest(folder_.world, wrong);
    } catch (const CollectiveError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(error_of(options("tree", "there.h5")), HasSubstr("exists already"));
  EXPECT_THAT(error_of(options("tree", "none/out.h5")), HasSubstr("does not exist"));
  EXPECT_THAT(error_of(options("tree", "tree")), HasSubstr("is a folder"));
  EXPECT_THAT(error_of(options("nothing", "out.h5")), HasSubstr("No such file"));
  Options huge = options("tree", "out.h5");
  huge.size = 2'000'000;
  EXPECT_THAT(error_of(huge), HasSubstr("out.h5 needs 48.0 TB, but only"));
}

}  // namespace
}  // namespace whorl::ingest
