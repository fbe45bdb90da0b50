// SPDX-License-Identifier: BSD-3-Clause
#include "checkpoint/keeper.hpp"

#include <gtest/gtest.h>

#include "checkpoint/folder.hpp"
#include "mpi/train/tiny_dataset.hpp"

namespace whorl::checkpoint {
namespace {

/// Only rank 0's folder is used.
class KeeperTest : public testing::Test {
 protected:
  KeeperTest() : trainer_(test::tiny_job("reference", 1), world_, dataset_.reader()) {}

  void train_and_take(Keeper& keeper) {
    trainer_.next_epoch({.ask = {}, .after_step = [&](std::int64_t, train::Requests) {
                           keeper.take(trainer_, "record");
                           keeper.wait();
                           return true;
                         }});
  }

  const mpi::Communicator world_ = mpi::Communicator::world();
  const test::TinyDataset dataset_{4 * 4, 0};
  train::Trainer trainer_;
  const test::TemporaryFolder folder_;
};

TEST_F(KeeperTest, WritesTheLastStepsOnRankZero) {
  Keeper keeper(world_, folder_ / "checkpoints", {.keep = 2}, "job", "digest");
  train_and_take(keeper);
  EXPECT_FALSE(keeper.has_failed());
  const std::vector<std::filesystem::path> paths = list(folder_ / "checkpoints");
  if (!world_.is_root()) {
    EXPECT_TRUE(paths.empty());
    return;
  }
  ASSERT_EQ(paths.size(), 2U);
  const Checkpoint last = load(paths[0]), before = load(paths[1]);
  EXPECT_EQ(last.state.step, 4);
  EXPECT_EQ(before.state.step, 3);
  EXPECT_NE(last.state.parameters, before.state.parameters);
  EXPECT_EQ(last.job + last.dataset_digest + last.record, "jobdigestrecord");
}

TEST_F(KeeperTest, GoesOnWithoutAFolderAndTellsAllRanks) {
  Keeper keeper(world_, folder_ / "checkpoints", {}, "job", "digest");
  std::filesystem::remove(folder_ / "checkpoints");
  train_and_take(keeper);
  EXPECT_TRUE(trainer_.done());
  EXPECT_TRUE(keeper.has_failed());
}

TEST_F(KeeperTest, AnOldOneThatCannotBeRemovedIsNoFailure) {
  std::filesystem::create_directories(path_for(folder_ / "checkpoints", 0) / "not empty");
  Keeper keeper(world_, folder_ / "checkpoints", {.keep = 1}, "job", "digest");
  train_and_take(keeper);
  EXPECT_FALSE(keeper.has_failed());
  EXPECT_EQ(std::filesystem::exists(path_for(folder_ / "checkpoints", 4)), world_.is_root());
}

TEST_F(KeeperTest, IsDueByEpochsAndByRankZerosClock) {
  const Keeper never(world_, folder_ / "a", {.epochs = 0, .seconds = 0}, "", "");
  EXPECT_FALSE(never.is_due_after(1));
  EXPECT_FALSE(never.is_due_by_clock());
  const Keeper often(world_, folder_ / "b", {.epochs = 3, .seconds = 1e-9}, "", "");
  EXPECT_FALSE(often.is_due_after(4));
  EXPECT_TRUE(often.is_due_after(6));
  EXPECT_EQ(often.is_due_by_clock(), world_.is_root());
}

}  // namespace
}  // namespace whorl::checkpoint
