// SPDX-License-Identifier: BSD-3-Clause
// Every form of one set gives the same pixels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.hpp"
#include "readbench/prepare.hpp"
#include "support/dataset_file.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_message.hpp"

namespace whorl::readbench {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class FormsTest : public ::testing::Test {
 protected:
  std::vector<SourceName> make(const test::DatasetFile& content) {
    content.write(set);
    std::filesystem::remove_all(forms);
    return prepare(forms, set);
  }
  std::string error_of(const SourceName& name, std::int64_t sample = 0) {
    return test::thrown_message<Error>([&] {
      Arena arena;
      open_source(name, 0)->fetch(sample, 1, arena);
    });
  }
  test::TemporaryFolder folder;
  std::filesystem::path set = folder / "set.h5", forms = folder / "forms";
};

/// One by one, backwards.
std::vector<std::vector<std::uint8_t>> all_pixels(Source& source) {
  std::vector<std::vector<std::uint8_t>> all;
  Arena stored, pixels;
  for (std::int64_t sample = source.count(); sample-- > 0;) {
    stored.clear();
    pixels.clear();
    const auto bytes = source.fetch(sample, 1, stored);
    EXPECT_EQ(bytes.size(), stored.size());
    if (source.decodes()) {
      source.decode(bytes, pixels);
      const auto end = pixels.append(0).data();
      all.emplace_back(end - pixels.size(), end);
    } else {
      all.emplace_back(bytes.begin(), bytes.end());
    }
  }
  return all;
}

TEST_F(FormsTest, GiveTheSamePixels) {
  for (const dataset::Storage storage : {dataset::Storage::pixels, dataset::Storage::jpeg}) {
    const test::DatasetFile content{.image_size = 32, .train_count = 11, .test_count = 4, .storage = storage};
    const std::vector<SourceName> sources = make(content);
    const PictureSet pictures(set);
    ASSERT_EQ(pictures.count(), 15);
    std::vector<std::vector<std::uint8_t>> expected;
    for (std::int64_t sample = 15; sample-- > 0;) expected.push_back(pictures.pixels(sample));
    ASSERT_NE(expected[0], expected[1]);
    std::vector<std::string> kinds;
    for (const SourceName& name : sources) {
      const auto source = open_source(name, 0);
      EXPECT_EQ(all_pixels(*source), expected) << name.kind;
      kinds.push_back(name.kind);
    }
    EXPECT_THAT(kinds, ::testing::IsSupersetOf({"folder", "tar", "pixels", "jpeg", "cifar", "raw"}));
  }
}

TEST_F(FormsTest, ReadRunsAsOneByOne) {
  for (const SourceName& name : make({.image_size = 8, .train_count = 30})) {
    const auto source = open_source(name, 0);
    if (!source->fetches_runs()) continue;
    Arena run, single;
    const auto bytes = source->fetch(3, 20, run);
    std::vector<std::uint8_t> one_by_one;
    for (std::int64_t sample = 3; sample < 23; ++sample) {
      single.clear();
      const auto picture = source->fetch(sample, 1, single);
      one_by_one.insert(one_by_one.end(), picture.begin(), picture.end());
    }
    EXPECT_EQ(std::vector<std::uint8_t>(bytes.begin(), bytes.end()), one_by_one) << name.kind;
  }
}

TEST_F(FormsTest, LeaveOutCifarWhereItDoesNotFit) {
  for (const SourceName& name : make({.image_size = 31})) EXPECT_NE(name.kind, "cifar");
}

TEST_F(FormsTest, RefuseAFolderThatIsThere) {
  make({});
  EXPECT_THAT(test::thrown_message<Error>([&] { prepare(forms, set); }), HasSubstr("already there"));
}

TEST_F(FormsTest, NameWhatIsWrong) {
  const std::vector<SourceName> sources = make({.image_size = 16, .train_count = 20});
  const auto path_of = [&](const std::string& kind) {
    for (const SourceName& name : sources)
      if (name.kind == kind) return name.path;
    throw Error("no {}", kind);
  };
  EXPECT_THAT(error_of({"jpeg", path_of("pixels")}),
              AllOf(HasSubstr("pixels.h5"), HasSubstr("stores pixels, not jpeg")));
  EXPECT_THAT(error_of({"tar", path_of("pixels")}), HasSubstr("not a tar"));
  EXPECT_THAT(error_of({"cifar", path_of("folder")}), HasSubstr("no binary CIFAR-10 batches"));
  EXPECT_THAT(error_of({"folder", folder / "nowhere"}), HasSubstr("nowhere"));
  EXPECT_THAT(error_of({"raw", path_of("jpeg")}), HasSubstr("train/images"));

  const auto pixels = open_source({"pixels", path_of("pixels")}, 0),
             tar = open_source({"tar", path_of("tar")}, 0),
             single = open_source({"folder", path_of("folder")}, 0);
  std::filesystem::resize_file(path_of("tar"), 700);
  std::ofstream(path_of("pixels"), std::ios::app) << "more";
  for (const std::string& file : single->files()) std::ofstream(file, std::ios::app) << "more";
  Arena arena;
  EXPECT_THAT(test::thrown_message<Error>([&] { pixels->require_unchanged(); }),
              HasSubstr("pixels.h5 was changed"));
  EXPECT_THAT(test::thrown_message<Error>([&] { tar->fetch(19, 1, arena); }), HasSubstr("pictures.tar"));
  EXPECT_THAT(test::thrown_message<Error>([&] { single->fetch(7, 1, arena); }), HasSubstr("was changed"));
}

}  // namespace
}  // namespace whorl::readbench
