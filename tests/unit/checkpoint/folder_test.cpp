// SPDX-License-Identifier: BSD-3-Clause
#include "checkpoint/folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "example.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_message.hpp"

namespace whorl::checkpoint {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CheckpointFolder : public testing::Test {
 protected:
  void save_step(std::int64_t step) const {
    save(path_for(folder_.path(), step), test::example_checkpoint(step));
  }
  void damage(std::int64_t step) const {
    const std::filesystem::path path = path_for(folder_.path(), step);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      result.push_back(entry.path().filename().string());
    std::sort(result.begin(), result.end());
    return result;
  }
  test::TemporaryFolder folder_;
};

TEST_F(CheckpointFolder, KeepsTheNewest) {
  for (const std::int64_t step : {5, 999, 1000, 20}) save_step(step);
  keep_newest(folder_.path(), 5);
  EXPECT_EQ(list(folder_.path()).size(), 4U);
  keep_newest(folder_.path(), 2);
  EXPECT_THAT(names(), ElementsAre("step-000000999.h5", "step-000001000.h5"));
}

TEST_F(CheckpointFolder, HasNoneAtFirst) {
  EXPECT_FALSE(take_newest(folder_ / "none"));
  write_file_atomically(folder_ / ".draft-0a1b2c3d-step-000000009.h5", "left by a run that was killed");
  EXPECT_FALSE(take_newest(folder_.path()));
  EXPECT_THAT(names(), ElementsAre());
}

TEST_F(CheckpointFolder, FallsBackToTheNewestThatIsWhole) {
  for (const std::int64_t step : {10, 20, 30, 40}) save_step(step);
  damage(40);
  damage(30);
  write_file_atomically(folder_ / ".draft-0a1b2c3d-step-000000009.h5", "left by a run that was killed");
  const std::optional<Newest> newest = take_newest(folder_.path());
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->checkpoint.state.step, 20);
  EXPECT_EQ(newest->path, path_for(folder_.path(), 20));
  ASSERT_EQ(newest->damaged.size(), 2U);
  EXPECT_THAT(newest->damaged[0], HasSubstr("step-000000040.h5 is damaged"));
  EXPECT_THAT(names(), ElementsAre("step-000000010.h5", "step-000000020.h5", "step-000000030.h5.damaged",
                                   "step-000000040.h5.damaged"));
}

TEST_F(CheckpointFolder, OneThatCannotBeReadIsNoDamage) {
  for (const std::int64_t step : {10, 30}) save_step(step);
  damage(30);
  std::filesystem::create_directory(path_for(folder_.path(), 20));
  const std::string message = test::thrown_message<Error>([&] { take_newest(folder_.path()); });
  EXPECT_THAT(message, HasSubstr("step-000000020.h5: Is a directory"));
  EXPECT_EQ(list(folder_.path()).size(), 3U) << "nothing was set aside";
}

TEST_F(CheckpointFolder, WithoutOneThatIsWholeIsRefused) {
  for (const std::int64_t step : {10, 20}) {
    save_step(step);
    damage(step);
  }
  const std::string message = test::thrown_message<Error>([&] { take_newest(folder_.path()); });
  EXPECT_THAT(message, HasSubstr("none of the 2 checkpoints in " + folder_.path().string() + " can be read"));
  EXPECT_THAT(message, HasSubstr("step-000000010.h5 is damaged"));
  EXPECT_EQ(list(folder_.path()).size(), 2U) << "nothing was set aside";
}

}  // namespace
}  // namespace whorl::checkpoint
