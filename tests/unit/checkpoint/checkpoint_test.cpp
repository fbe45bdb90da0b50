// SPDX-License-Identifier: BSD-3-Clause
#include "checkpoint/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "base/keyed_random.hpp"
#include "example.hpp"
#include "h5/file.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_message.hpp"

namespace whorl::checkpoint {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class CheckpointFile : public testing::Test {
 protected:
  CheckpointFile() { save(path_, example_); }

  std::string message_of_loading() const {
    return test::thrown_message<Error>([&] { load(path_); });
  }
  void flip_bit(std::streamoff byte, int bit) const {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(byte);
    const int old = file.get();
    file.seekp(byte);
    file.put(static_cast<char>(old ^ (1 << bit)));
  }
  std::pair<std::int64_t, std::int64_t> place_of(const std::string& dataset) const {
    const h5::File file = h5::File::open_read(path_);
    const h5::Dataset found = h5::Dataset::open(file, dataset);
    return {found.file_offset(), found.file_offset() + static_cast<std::int64_t>(found.stored_bytes())};
  }

  const Checkpoint example_ = test::example_checkpoint(17);
  test::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "step.h5";
};

TEST_F(CheckpointFile, GivesBackWhatWasSaved) {
  const Checkpoint loaded = load(path_);
  EXPECT_EQ(loaded.state.step, 17);
  EXPECT_EQ(loaded.state.loss, example_.state.loss);
  EXPECT_EQ(loaded.state.correct, example_.state.correct);
  EXPECT_EQ(loaded.state.parameters, example_.state.parameters);
  EXPECT_EQ(loaded.state.optimizer.momentum, example_.state.optimizer.momentum);
  EXPECT_EQ(loaded.state.optimizer.slow_weights, example_.state.optimizer.slow_weights);
  EXPECT_EQ(loaded.state.gradient_sum, example_.state.gradient_sum);
  EXPECT_EQ(loaded.job, example_.job);
  EXPECT_EQ(loaded.dataset_digest, example_.dataset_digest);
  EXPECT_EQ(loaded.record, example_.record);
}

TEST_F(CheckpointFile, MayLackWhatATrainingLacks) {
  Checkpoint bare = example_;
  bare.state.optimizer.slow_weights.clear();
  bare.state.gradient_sum.clear();
  save(path_, bare);
  EXPECT_TRUE(load(path_).state.optimizer.slow_weights.empty());
  EXPECT_TRUE(load(path_).state.gradient_sum.empty());
}

TEST_F(CheckpointFile, LeavesNothingElseBehind) {
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
  const auto permissions = std::filesystem::status(path_).permissions();
  const mode_t mask = ::umask(0);
  ::umask(mask);
  EXPECT_EQ(permissions, std::filesystem::perms(0666 & ~mask)) << "as of any file that the user makes";
  const std::string message = test::thrown_message<Error>([&] { save(folder_ / "none/step.h5", example_); });
  EXPECT_THAT(message, AllOf(HasSubstr("none"), HasSubstr("No such file or directory")));
}

TEST_F(CheckpointFile, AnyFlippedBitIsFoundAndLocated) {
  const auto size = static_cast<std::uint64_t>(std::filesystem::file_size(path_));
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> places;
  for (const char* name : {"parameters", "momentum", "slow_weights", "gradient_exponents", "record"})
    places[name] = place_of(name);
  std::map<std::string, int> found;
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    KeyedRandom random(1, RandomPurpose::test, 0, trial);
    const std::int64_t byte = random.below(static_cast<std::uint32_t>(size));
    const int bit = static_cast<int>(random.below(8));
    flip_bit(byte, bit);
    const std::string message = message_of_loading();
    std::string expected;
    for (const auto& [name, place] : places) {
      if (byte >= place.first && byte < place.second) expected = "the dataset " + name + " ";
    }
    if (expected.empty()) {
      EXPECT_THAT(message, testing::AnyOf(HasSubstr("its seal"), HasSubstr("HDF5's own structures"))) << byte;
    }
    EXPECT_THAT(message, AllOf(HasSubstr(path_.string() + " is damaged"), HasSubstr(expected)))
        << "byte " << byte << " bit " << bit;
    ++found[expected];
    flip_bit(byte, bit);
  }
  EXPECT_GE(found.size(), 4U) << "the bits should be spread over the file";
  EXPECT_EQ(load(path_).state.parameters, example_.state.parameters) << "the bits were not flipped back";
}

TEST_F(CheckpointFile, EveryBitOfTheSealIsCovered) {
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path_));
  for (std::int64_t byte = size - 300; byte < size; ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      flip_bit(byte, bit);
      ASSERT_THAT(message_of_loading(), HasSubstr("is damaged")) << "byte " << byte << " bit " << bit;
      flip_bit(byte, bit);
    }
  }
}

TEST_F(CheckpointFile, CutOrLengthenedIsRefused) {
  const std::string whole = read_text_file(path_);
  for (const std::size_t length : {std::size_t{0}, std::size_t{10}, std::size_t{4096}, whole.size() - 1}) {
    write_file_atomically(path_, whole.substr(0, length));
    EXPECT_THAT(message_of_loading(), HasSubstr("is damaged: its seal")) << length;
  }
  write_file_atomically(path_, whole + "more");
  EXPECT_THAT(message_of_loading(), HasSubstr("is damaged: its seal"));
  write_file_atomically(path_, "more" + whole);
  EXPECT_THAT(message_of_loading(), HasSubstr("its length"));
}

TEST_F(CheckpointFile, AnotherFileIsRefused) {
  h5::File::create(path_).close();
  EXPECT_THAT(message_of_loading(), HasSubstr("no file of this kind"));
  EXPECT_THAT(test::thrown_message<Error>([&] { load(folder_ / "none.h5"); }), HasSubstr("none.h5"));
}

}  // namespace
}  // namespace whorl::checkpoint
