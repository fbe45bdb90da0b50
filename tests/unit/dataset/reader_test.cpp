// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <thread>

#include "base/error.hpp"
#include "h5/file.hpp"
#include "image/jpeg.hpp"
#include "support/dataset_file.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_message.hpp"

namespace whorl::dataset {
namespace {

using test::DatasetFile;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReaderTest : public ::testing::Test {
 protected:
  std::string opening_error(const DatasetFile& content) {
    content.write(path);
    return opening_error();
  }
  std::string opening_error() {
    return test::thrown_message<Error>([&] { const Reader reader(path); });
  }
  /// Replaces a dataset by one of another layout, element type or shape; without values, nothing is stored.
  template <typename T>
  void replace(const char* name, hid_t type, const std::vector<hsize_t>& shape, const std::vector<T>& values,
               hid_t memory_type, bool compressed) {
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const h5::PropertyList creation(H5Pcreate(H5P_DATASET_CREATE));
    std::vector<hsize_t> chunk = shape;
    chunk[0] = 2;
    if (compressed) {
      ASSERT_GE(H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data()), 0);
      ASSERT_GE(H5Pset_deflate(creation.get(), 4), 0);
    }
    ASSERT_GE(H5Ldelete(file, name, H5P_DEFAULT), 0);
    {
      const h5::Space space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
      const h5::DatasetId dataset(
          H5Dcreate2(file, name, type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT));
      if (!values.empty()) {
        ASSERT_GE(H5Dwrite(dataset.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
      }
    }
    ASSERT_GE(H5Fclose(file), 0);
  }

  test::TemporaryFolder folder;
  std::filesystem::path path = folder / "data.h5";
};

std::vector<std::uint8_t> all_train_pictures(const DatasetFile& content) {
  std::vector<std::uint8_t> bytes;
  for (std::int64_t sample = 0; sample < content.train_count; ++sample) {
    const auto picture = content.picture(Split::train, sample);
    bytes.insert(bytes.end(), picture.begin(), picture.end());
  }
  return bytes;
}

void expect_pictures(const Reader& reader, const DatasetFile& content, Split split,
                     const std::vector<std::int64_t>& samples) {
  const std::size_t size = reader.info().image_bytes();
  std::vector<std::uint8_t> pixels(samples.size() * size);
  reader.read_images(split, samples, pixels.data());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::vector<std::uint8_t> got(pixels.begin() + i * size, pixels.begin() + (i + 1) * size);
    EXPECT_EQ(got, content.picture(split, samples[i])) << to_string(split) << " sample " << samples[i];
  }
}

TEST_F(ReaderTest, ReadsWhatTheFileSays) {
  const DatasetFile content;
  content.write(path);
  const Reader reader(path);
  EXPECT_EQ(reader.path(), path.string());
  const Info& info = reader.info();
  EXPECT_EQ(info.image_size, 5);
  EXPECT_EQ(info.storage, Storage::pixels);
  EXPECT_THAT(info.class_names, ElementsAre("daisy", "rose", "tulip"));
  EXPECT_THAT(info.channel_mean, ElementsAre(0.25, 0.5, 0.75));
  EXPECT_THAT(info.channel_std, ElementsAre(0.125, 0.25, 0.375));
  EXPECT_EQ(info.source_digest, "0123");
  EXPECT_EQ(info.count(Split::train), 7);
  EXPECT_EQ(info.count(Split::test), 3);
  EXPECT_THAT(reader.labels(Split::train), ElementsAre(0, 2, 1, 0, 2, 1, 0));
  EXPECT_THAT(reader.labels(Split::test), ElementsAre(1, 0, 2));
  EXPECT_THAT(reader.names(Split::train, 2, 2), ElementsAre("train-2.jpg", "train-3.jpg"));
  ASSERT_EQ(reader.rejects().size(), 1U);
  EXPECT_EQ(reader.rejects()[0].name, "bad.jpg");
  EXPECT_EQ(reader.rejects()[0].reason, "premature end of JPEG file");
}

TEST_F(ReaderTest, ReadsPicturesInAnyOrder) {
  const DatasetFile content;
  content.write(path);
  const Reader reader(path);
  expect_pictures(reader, content, Split::train, {6, 0, 3, 3, 5});
  expect_pictures(reader, content, Split::test, {2, 0});
}

TEST_F(ReaderTest, StaysWholeWhenMoved) {
  const DatasetFile content;
  content.write(path);
  Reader first(path);
  Reader second(std::move(first));
  first = std::move(second);
  expect_pictures(first, content, Split::train, {4});
}

TEST_F(ReaderTest, ReadsChunkedAndCompressedPictures) {
  const DatasetFile content;
  content.write(path);
  replace("train/images", H5T_STD_U8LE, {7, 5, 5, 3}, all_train_pictures(content), H5T_NATIVE_UINT8, true);
  const Reader reader(path);
  expect_pictures(reader, content, Split::train, {6, 0, 3, 3, 5});
}

TEST_F(ReaderTest, ConvertsPicturesOfAnotherType) {
  const DatasetFile content;
  content.write(path);
  replace("train/images", H5T_STD_I64BE, {7, 5, 5, 3}, all_train_pictures(content), H5T_NATIVE_UINT8, false);
  const Reader reader(path);
  expect_pictures(reader, content, Split::train, {6, 0, 3, 3, 5});
}

TEST_F(ReaderTest, DecodesStoredJpeg) {
  const DatasetFile content{.image_size = 16, .storage = Storage::jpeg};
  content.write(path);
  const Reader reader(path);
  EXPECT_EQ(reader.info().storage, Storage::jpeg);
  const std::vector<std::int64_t> samples{5, 1};
  std::vector<std::uint8_t> pixels(2 * reader.info().image_bytes());
  reader.read_images(Split::train, samples, pixels.data());
  std::vector<std::uint8_t> expected = image::decode_jpeg(content.jpeg(Split::train, 5)).pixels;
  const std::vector<std::uint8_t> second = image::decode_jpeg(content.jpeg(Split::train, 1)).pixels;
  expected.insert(expected.end(), second.begin(), second.end());
  EXPECT_EQ(pixels, expected);
}

TEST_F(ReaderTest, NamesADamagedJpeg) {
  const DatasetFile content{.image_size = 16, .storage = Storage::jpeg};
  content.write(path);
  const auto first = static_cast<std::int64_t>(content.jpeg(Split::train, 0).size());
  {
    const h5::File file = h5::File::open_read(path);
    const std::int64_t offset = h5::Dataset::open(file, "train/jpeg_bytes").file_offset();
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary)
        .seekp(offset + first)
        .write("\0\0\0\0", 4);
  }
  const Reader reader(path);
  std::vector<std::uint8_t> pixels(reader.info().image_bytes());
  const std::vector<std::int64_t> whole{0}, damaged{1};
  reader.read_images(Split::train, whole, pixels.data());
  EXPECT_THAT(test::thrown_message<Error>([&] { reader.read_images(Split::train, damaged, pixels.data()); }),
              AllOf(HasSubstr("picture 1"), HasSubstr("train/jpeg_bytes"), HasSubstr("data.h5")));
}

TEST_F(ReaderTest, ServesSeveralThreads) {
  const DatasetFile content{.train_count = 200};
  content.write(path);
  replace(
      "test/images", H5T_STD_U8LE, {3, 5, 5, 3},
      [&] {
        std::vector<std::uint8_t> bytes;
        for (int sample = 0; sample < 3; ++sample)
          for (const std::uint8_t byte : content.picture(Split::test, sample)) bytes.push_back(byte);
        return bytes;
      }(),
      H5T_NATIVE_UINT8, true);
  const Reader reader(path);
  std::vector<std::jthread> threads;
  for (std::int64_t thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (std::int64_t round = 0; round < 50; ++round) {
        expect_pictures(reader, content, Split::train, {(round * 4 + thread) % 200, thread});
        expect_pictures(reader, content, Split::test, {thread % 3, round % 3});
      }
    });
}

TEST_F(ReaderTest, RefusesSamplesOutside) {
  DatasetFile{}.write(path);
  const Reader reader(path);
  std::vector<std::uint8_t> pixels(reader.info().image_bytes());
  for (const std::int64_t sample : {std::int64_t{7}, std::int64_t{-1}}) {
    const std::vector<std::int64_t> samples{sample};
    EXPECT_THAT(
        test::thrown_message<Error>([&] { reader.read_images(Split::train, samples, pixels.data()); }),
        HasSubstr("no train sample " + std::to_string(sample)));
  }
}

TEST_F(ReaderTest, AcceptsAnEmptySplit) {
  DatasetFile{.test_count = 0}.write(path);
  const Reader reader(path);
  EXPECT_EQ(reader.info().test_count, 0);
  EXPECT_TRUE(reader.labels(Split::test).empty());
}

TEST_F(ReaderTest, DigestFollowsContent) {
  const auto digest_of_file = [&](const DatasetFile& content) {
    content.write(path);
    return Reader(path).digest();
  };
  const std::string digest = digest_of_file({});
  EXPECT_EQ(digest.size(), 32U);
  EXPECT_EQ(digest, digest_of_file({}));
  EXPECT_NE(digest, digest_of_file({.source_digest = "0124"}));
  EXPECT_NE(digest, digest_of_file({.train_count = 8}));
  EXPECT_NE(digest, digest_of_file({.class_names = {"daisy", "rose", "tulips"}}));
  EXPECT_NE(digest, digest_of_file({.class_names = {"daisy", "rose", "tulip", "violet"}}));
  EXPECT_NE(digest_of_file({.checksums = true}), digest_of_file({.checksums = true, .brighter = 1}))
      << "only pixels differ";
}

TEST_F(ReaderTest, NamesAMissingFile) {
  EXPECT_THAT(opening_error(), AllOf(HasSubstr("data.h5"), HasSubstr("No such file")));
}

TEST_F(ReaderTest, NamesAFileThatIsNotHdf5) {
  std::ofstream(path) << "class,name\n";
  EXPECT_THAT(opening_error(), AllOf(HasSubstr("data.h5"), HasSubstr("not an HDF5 file")));
}

TEST_F(ReaderTest, NamesAForeignFile) {
  h5::File::create(path).close();
  EXPECT_THAT(opening_error(), AllOf(HasSubstr("not a whorl dataset"), HasSubstr("whorl-ingest")));
  EXPECT_THAT(opening_error({.format = "other-dataset"}), HasSubstr("not a whorl dataset"));
}

TEST_F(ReaderTest, NamesAnotherSchema) {
  EXPECT_THAT(opening_error({.schema_version = schema_version + 1}),
              AllOf(HasSubstr("schema 2"), HasSubstr("newer whorl")));
  EXPECT_THAT(opening_error({.schema_version = 0}),
              AllOf(HasSubstr("schema 0"), HasSubstr("ingest the pictures again")));
}

TEST_F(ReaderTest, NamesATruncatedFile) {
  DatasetFile{.image_size = 64, .train_count = 40}.write(path);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_THAT(opening_error(), AllOf(HasSubstr("data.h5"), HasSubstr("truncated")));
}

TEST_F(ReaderTest, NamesALabelWithoutClass) {
  DatasetFile{}.write(path);
  const auto reading_error = [&](auto read) {
    const Reader reader(path);
    return test::thrown_message<Error>([&] { read(reader); });
  };
  const auto whole = [](const Reader& reader) { reader.labels(Split::test); };
  const auto digest = [](const Reader& reader) { reader.digest(); };
  const auto some = [](const Reader& reader) {
    const std::vector<std::int64_t> samples{0, 2, 1};
    std::int32_t labels[3];
    reader.read_labels(Split::test, samples, labels);
  };
  replace<std::int32_t>("test/labels", H5T_STD_I32LE, {3}, {0, 3, 1}, H5T_NATIVE_INT32, false);
  EXPECT_THAT(reading_error(whole), AllOf(HasSubstr("test/labels of sample 1 is 3"), HasSubstr("3 classes")));
  EXPECT_THAT(reading_error(digest), HasSubstr("test/labels of sample 1 is 3"));
  EXPECT_THAT(reading_error(some), HasSubstr("test/labels of sample 1 is 3"));
  replace<std::int32_t>("test/labels", H5T_STD_I32LE, {3}, {0, 1, -1}, H5T_NATIVE_INT32, false);
  EXPECT_THAT(reading_error(whole), HasSubstr("test/labels of sample 2 is -1"));
}

TEST_F(ReaderTest, ReadsLabelsOfSamples) {
  const DatasetFile content{.train_count = 40};
  content.write(path);
  const Reader reader(path);
  const std::vector<std::int64_t> samples{39, 3, 4, 5, 6, 0, 0};
  std::vector<std::int32_t> labels(samples.size());
  reader.read_labels(Split::train, samples, labels.data());
  for (std::size_t i = 0; i < samples.size(); ++i)
    EXPECT_EQ(labels[i], content.label(Split::train, samples[i]));
}

TEST_F(ReaderTest, GivesStoredJpeg) {
  const DatasetFile content{.image_size = 16, .storage = Storage::jpeg};
  content.write(path);
  const Reader reader(path);
  std::vector<std::uint8_t> bytes;
  for (const std::int64_t sample : {6, 0, 3}) {
    reader.read_jpeg(Split::train, sample, bytes);
    EXPECT_EQ(bytes, content.jpeg(Split::train, sample));
  }
}

TEST_F(ReaderTest, NoticesThatTheFileWasChanged) {
  DatasetFile{}.write(path);
  const Reader reader(path);
  reader.require_unchanged();
  std::ofstream(path, std::ios::app) << "more";
  EXPECT_THAT(test::thrown_message<Error>([&] { reader.require_unchanged(); }),
              AllOf(HasSubstr("data.h5 was changed"), HasSubstr("start again")));
}

TEST_F(ReaderTest, ReadsTheSameAgain) {
  const DatasetFile content{.image_size = 50, .train_count = 60};
  content.write(path);
  const Reader reader(path);
  for (int round = 0; round < 3; ++round)
    expect_pictures(reader, content, Split::train, {31, 30, 31, 32, 59, 0, 1, 2, 3, 4, 58, 59});
}

// The pictures are mapped by then: the kernel answers with SIGBUS.
TEST_F(ReaderTest, NamesAFileThatIsCutAfterItWasRead) {
  const DatasetFile content{.image_size = 50, .train_count = 60};
  content.write(path);
  const Reader reader(path);
  std::vector<std::int64_t> all(60);
  std::iota(all.begin(), all.end(), 0);
  expect_pictures(reader, content, Split::train, all);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  std::vector<std::uint8_t> pixels(60 * reader.info().image_bytes());
  for (int attempt = 0; attempt < 3; ++attempt)
    EXPECT_THAT(test::thrown_message<Error>([&] { reader.read_images(Split::train, all, pixels.data()); }),
                AllOf(HasSubstr("train/images in"), HasSubstr("data.h5"), HasSubstr("shorter")));
}

TEST_F(ReaderTest, ReadsAheadOnlyWhatIsThere) {
  for (const Storage storage : {Storage::pixels, Storage::jpeg}) {
    DatasetFile{.image_size = 16, .storage = storage}.write(path);
    const Reader reader(path);
    reader.will_need(Split::train, 0, 7);
    reader.will_need(Split::train, 7, 0);
    EXPECT_THROW(reader.will_need(Split::train, 1, 7), Error);
  }
}

TEST_F(ReaderTest, NamesShapesThatDoNotFit) {
  DatasetFile{}.write(path);
  replace<std::int32_t>("train/labels", H5T_STD_I32LE, {6}, {0, 1, 2, 0, 1, 2}, H5T_NATIVE_INT32, false);
  EXPECT_THAT(opening_error(),
              AllOf(HasSubstr("train/images"), HasSubstr("(7, 5, 5, 3)"), HasSubstr("(6, 5, 5, 3)")));
}

TEST_F(ReaderTest, NamesRowsThatAreNotStored) {
  DatasetFile{}.write(path);
  constexpr hsize_t huge = hsize_t{1} << 40;
  replace<std::int32_t>("train/labels", H5T_STD_I32LE, {huge}, {}, H5T_NATIVE_INT32, true);
  EXPECT_THAT(opening_error(), AllOf(HasSubstr("train/labels"),
                                     HasSubstr("claims 4398046511104 bytes, of which 0 are stored")));
}

TEST_F(ReaderTest, NamesOffsetsThatDoNotFit) {
  const DatasetFile content{.image_size = 16, .storage = Storage::jpeg};
  std::uint64_t bytes = 0;
  for (int sample = 0; sample < 3; ++sample) bytes += content.jpeg(Split::test, sample).size();
  content.write(path);
  using Offsets = std::vector<std::uint64_t>;
  for (const Offsets& offsets :
       {Offsets{0, 8, 9, bytes + 1}, Offsets{1, 8, 9, bytes}, Offsets{0, 8, bytes}}) {
    replace("test/jpeg_offsets", H5T_STD_U64LE, {offsets.size()}, offsets, H5T_NATIVE_UINT64, false);
    EXPECT_THAT(opening_error(), AllOf(HasSubstr("test/jpeg_bytes"), HasSubstr("3 pictures")))
        << ::testing::PrintToString(offsets);
  }
  for (const Offsets& offsets : {Offsets{0, 9, 8, bytes}, Offsets{0, 0, bytes + 5, bytes}}) {
    replace("test/jpeg_offsets", H5T_STD_U64LE, {offsets.size()}, offsets, H5T_NATIVE_UINT64, false);
    const Reader reader(path);
    std::vector<std::uint8_t> pixels(reader.info().image_bytes());
    const std::vector<std::int64_t> samples{1};
    EXPECT_THAT(test::thrown_message<Error>([&] { reader.read_images(Split::test, samples, pixels.data()); }),
                AllOf(HasSubstr("test/jpeg_bytes"), HasSubstr("3 pictures")));
  }
}

}  // namespace
}  // namespace whorl::dataset
