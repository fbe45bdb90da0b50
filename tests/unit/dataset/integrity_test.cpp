// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/integrity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "dataset/reader.hpp"
#include "support/dataset_file.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_message.hpp"

namespace whorl::dataset {
namespace {

using test::DatasetFile;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class IntegrityTest : public ::testing::TestWithParam<Storage> {
 protected:
  IntegrityTest() {
    content.storage = GetParam();
    content.checksums = true;
    content.write(path);
    whole = read_text_file(path);
  }
  void flip(std::size_t place, int bit) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ (1 << bit));
    write_file_atomically(path, damaged);
  }
  /// The byte of the file where an element of a dataset begins.
  std::size_t place_of(const std::string& name, std::size_t byte) const {
    const h5::File file = h5::File::open_read(path);
    return static_cast<std::size_t>(h5::Dataset::open(file, name).file_offset()) + byte;
  }
  std::vector<std::string> damage() const { return find_damage(Reader(path), 1, 0); }
  std::string pictures() const { return GetParam() == Storage::pixels ? "images" : "jpeg_bytes"; }

  test::TemporaryFolder folder;
  std::filesystem::path path = folder / "data.h5";
  DatasetFile content;
  std::string whole;
};

INSTANTIATE_TEST_SUITE_P(Storages, IntegrityTest, ::testing::Values(Storage::pixels, Storage::jpeg),
                         [](const auto& storage) { return std::string(to_string(storage.param)); });

TEST_P(IntegrityTest, AWholeFileIsIntact) {
  EXPECT_THAT(damage(), IsEmpty());
  const Reader reader(path, Reader::Verify::all);
  std::vector<std::uint8_t> pixels(reader.info().image_bytes() * 7);
  const std::vector<std::int64_t> samples{0, 1, 2, 5, 3, 6, 4};
  reader.read_images(Split::train, samples, pixels.data());
  reader.read_images(Split::test, {samples.data(), 3}, pixels.data());
}

// Wherever it is: pictures, lists, attributes, HDF5's structures, the space between.
TEST_P(IntegrityTest, EveryFlippedBitIsFound) {
  for (std::size_t place = 0; place < whole.size(); place += place + 64 < whole.size() ? 17 : 1) {
    flip(place, static_cast<int>(place % 8));
    const std::string found = test::thrown_message<Error>([&] {
      const auto places = damage();
      if (!places.empty()) throw Error(places.front());
    });
    ASSERT_NE(found, "nothing was thrown") << "byte " << place << " of " << whole.size();
    ASSERT_THAT(found, Not(HasSubstr("another exception"))) << place;
  }
}

TEST_P(IntegrityTest, DamageIsLocated) {
  flip(place_of("test/" + pictures(), 2), 3);
  EXPECT_THAT(damage(), ElementsAre("test picture 0 (test-0.jpg)"));
  flip(place_of("train/labels", 9), 0);
  EXPECT_THAT(damage(), ElementsAre(AllOf(HasSubstr("bytes "), HasSubstr("train/labels, rows "))));
  flip(place_of("train/names", 40), 0);
  EXPECT_THAT(damage(), ElementsAre(HasSubstr("train/names, rows 1 to ")));
  flip(place_of("test/checksums", 8), 0);
  EXPECT_THAT(damage(), ElementsAre(HasSubstr("test/checksums, rows "), "test picture 1 (test-1.jpg)"));
  flip(place_of("rest_checksums", 100), 0);
  EXPECT_THAT(damage(), ElementsAre("rest_checksums itself"));
}

TEST_P(IntegrityTest, EveryPartOfThePicturesIsLookedAtOnce) {
  const std::string name = "train/" + pictures();
  const auto size =
      static_cast<std::size_t>(h5::Dataset::open(h5::File::open_read(path), name).stored_bytes());
  const std::size_t place = place_of(name, 0);
  std::string damaged = whole;
  for (std::size_t i = 0; i < size; ++i) damaged[place + i] = static_cast<char>(damaged[place + i] ^ 1);
  write_file_atomically(path, damaged);
  const Reader reader(path);
  for (const int parts : {1, 2, 3, 9}) {
    std::vector<std::string> found;
    for (int part = 0; part < parts; ++part)
      for (const std::string& text : find_damage(reader, parts, part)) found.push_back(text);
    EXPECT_EQ(found.size(), 7U) << parts;
  }
}

TEST_P(IntegrityTest, VerifyingReadersRefuseDamage) {
  flip(place_of("train/" + pictures(), 1), 6);
  std::vector<std::uint8_t> pixels(Reader(path).info().image_bytes() * 2);
  const Reader reader(path, Reader::Verify::all);
  const auto error_of = [&](std::vector<std::int64_t> samples) {
    return test::thrown_message<Error>([&] { reader.read_images(Split::train, samples, pixels.data()); });
  };
  EXPECT_THAT(error_of({0, 1}),
              AllOf(HasSubstr("picture 0 in train/"), HasSubstr("is damaged: its checksum")));
  EXPECT_EQ(error_of({1, 2}), "nothing was thrown");
  flip(place_of("train/labels", 9), 0);
  EXPECT_THAT(test::thrown_message<Error>([&] { Reader(path, Reader::Verify::all); }),
              AllOf(HasSubstr("is damaged"), HasSubstr("train/labels")));
}

TEST_P(IntegrityTest, FilesWithoutChecksumsSaySo) {
  content.checksums = false;
  content.write(path);
  EXPECT_THAT(test::thrown_message<Error>([&] { damage(); }), HasSubstr("has no checksums"));
  EXPECT_THAT(test::thrown_message<Error>([&] { Reader(path, Reader::Verify::all); }),
              HasSubstr("has no checksums"));
}

TEST_P(IntegrityTest, ATruncatedFileIsRefused) {
  for (const std::size_t length : {whole.size() - 1, whole.size() / 2, std::size_t{100}, std::size_t{0}}) {
    write_file_atomically(path, std::string_view(whole).substr(0, length));
    EXPECT_THAT(test::thrown_message<Error>([&] { damage(); }), HasSubstr(path.string())) << length;
  }
}

}  // namespace
}  // namespace whorl::dataset
