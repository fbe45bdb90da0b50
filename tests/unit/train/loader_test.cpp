// SPDX-License-Identifier: BSD-3-Clause
#include "train/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <set>
#include <thread>

#include "base/block_range.hpp"
#include "base/error.hpp"
#include "dataset/epoch_order.hpp"
#include "support/dataset_file.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_message.hpp"

namespace whorl::train {
namespace {

using ::testing::HasSubstr;

void expect_plan(const EpochPlan& plan, std::int64_t steps, int shards_per_batch, int shard_size) {
  EXPECT_EQ(plan.steps, steps);
  EXPECT_EQ(plan.shards_per_batch, shards_per_batch);
  EXPECT_EQ(plan.shard_size, shard_size);
}

TEST(PlanEpoch, CutsWholeBatches) {
  expect_plan(plan_epoch(50000, 2000, 125), 25, 16, 125);
  expect_plan(plan_epoch(50000, 1024, 64), 48, 16, 64);
  expect_plan(plan_epoch(2000, 2000, 2000), 1, 1, 2000);
}

TEST(PlanEpoch, ShrinksForSmallSplits) {
  expect_plan(plan_epoch(1999, 2000, 100), 1, 19, 100);
  expect_plan(plan_epoch(150, 2000, 100), 1, 1, 100);
  expect_plan(plan_epoch(99, 2000, 100), 1, 1, 99);
  expect_plan(plan_epoch(1, 2000, 100), 1, 1, 1);
}

TEST(PlanEpoch, RefusesWhatCannotBe) {
  const auto error_of = [](std::int64_t samples, std::int64_t batch, int shard) {
    return test::thrown_message<UsageError>([&] { plan_epoch(samples, batch, shard); });
  };
  EXPECT_THAT(error_of(1000, 100, 30),
              HasSubstr("the batch (100) must be a multiple of the shard size (30)"));
  EXPECT_THAT(error_of(1000, 100, 200), HasSubstr("the batch (100)"));
  EXPECT_THAT(error_of(1000, 0, 1), HasSubstr("the batch (0)"));
  EXPECT_THAT(error_of(1000, 100, 0), HasSubstr("shard size (0)"));
  EXPECT_THAT(error_of(0, 100, 10), HasSubstr("no training pictures"));
}

/// 47 pictures of 6 px, in batches of 4 shards of 3: 3 steps of 12, 11 pictures left over.
class ShardLoaderTest : public ::testing::Test {
 protected:
  ShardLoaderTest() { content.write(path); }
  static constexpr std::uint64_t seed = 9;
  static constexpr std::uint32_t epoch = 1;
  ShardLoader make_loader(const dataset::Reader& reader, int rank = 0, int ranks = 1, int depth = 3,
                          std::uint32_t of_epoch = epoch) {
    return {
        reader,          augmenter, plan, 6, seed, of_epoch, block_range(plan.shards_per_batch, ranks, rank),
        {.depth = depth}};
  }

  /// The same pictures as JPEG, the first bytes of `sample` overwritten.
  void replace_by_jpeg_with_a_damaged_one(std::int64_t sample) {
    test::DatasetFile jpeg = content;
    jpeg.storage = dataset::Storage::jpeg;
    jpeg.write(path);
    std::int64_t offset = h5::Dataset::open(h5::File::open_read(path), "train/jpeg_bytes").file_offset();
    for (std::int64_t before = 0; before < sample; ++before)
      offset += static_cast<std::int64_t>(jpeg.jpeg(dataset::Split::train, before).size());
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(offset).write("\0\0\0\0", 4);
  }

  const test::DatasetFile content{.image_size = 6, .train_count = 47};
  test::TemporaryFolder folder;
  std::filesystem::path path = folder / "data.h5";
  const double mean[3] = {0.5, 0.5, 0.5};
  Augmenter augmenter{{.flip = "alternating", .crop_padding = 2}, 6, 6, mean, seed};
  EpochPlan plan = plan_epoch(47, 12, 3);
};

TEST_F(ShardLoaderTest, HandsOutTheEpochsOrderToAnyNumberOfRanks) {
  const dataset::Reader reader(path);
  const dataset::EpochOrder order(seed, epoch, 47);
  for (const int ranks : {1, 2, 3, 4}) {
    std::set<std::int64_t> seen;
    for (int rank = 0; rank < ranks; ++rank) {
      ShardLoader loader = make_loader(reader, rank, ranks);
      const Range shards = block_range(4, ranks, rank);
      for (std::int64_t step = 0; step < 3; ++step) {
        for (std::int64_t shard = shards.begin; shard < shards.end; ++shard) {
          const LoadedShard& loaded = loader.next();
          ASSERT_EQ(loaded.labels.size(), 3U);
          ASSERT_EQ(loaded.images.size(), 3U * 6 * 6 * 3);
          for (std::int64_t i = 0; i < 3; ++i) {
            const std::int64_t sample = order((step * 4 + shard) * 3 + i);
            seen.insert(sample);
            std::vector<std::uint8_t> view(6 * 6 * 3);
            augmenter.training_view(epoch, sample, content.picture(dataset::Split::train, sample).data(),
                                    view.data());
            EXPECT_EQ(std::vector<std::uint8_t>(&loaded.images[i * 108], &loaded.images[i * 108] + 108),
                      view);
            EXPECT_EQ(loaded.labels[i], content.label(dataset::Split::train, sample));
          }
        }
      }
    }
    EXPECT_EQ(seen.size(), 36U) << ranks << " ranks";
  }
}

TEST_F(ShardLoaderTest, BeginsWithinAnEpoch) {
  const dataset::Reader reader(path);
  for (const int rank : {0, 1, 2}) {
    ShardLoader whole = make_loader(reader, rank, 3);
    ShardLoader rest(reader, augmenter, plan, 6, seed, epoch, block_range(plan.shards_per_batch, 3, rank),
                     {.first_step = 1});
    const std::int64_t shards = block_range(plan.shards_per_batch, 3, rank).size();
    for (std::int64_t i = 0; i < shards; ++i) whole.next();
    for (std::int64_t i = 0; i < 2 * shards; ++i) EXPECT_EQ(rest.next().images, whole.next().images);
    EXPECT_THAT(test::thrown_message<Error>([&] { rest.next(); }), HasSubstr("have been handed out"));
  }
}

TEST_F(ShardLoaderTest, WorksWithOneBuffer) {
  const dataset::Reader reader(path);
  ShardLoader shallow = make_loader(reader, 0, 1, 1);
  ShardLoader deep = make_loader(reader, 0, 1, 100);
  for (int shard = 0; shard < 12; ++shard) {
    const LoadedShard& loaded = shallow.next();
    ASSERT_EQ(loaded.images, deep.next().images);
  }
}

TEST_F(ShardLoaderTest, EpochsDiffer) {
  const dataset::Reader reader(path);
  ShardLoader first = make_loader(reader), second = make_loader(reader, 0, 1, 3, epoch + 1);
  int same = 0;
  for (int shard = 0; shard < 12; ++shard) same += first.next().images == second.next().images;
  EXPECT_EQ(same, 0);
}

TEST_F(ShardLoaderTest, EndsAfterTheEpoch) {
  const dataset::Reader reader(path);
  ShardLoader loader = make_loader(reader, 1, 4);
  for (int shard = 0; shard < 3; ++shard) loader.next();
  EXPECT_THAT(test::thrown_message<Error>([&] { loader.next(); }), HasSubstr("all 3 shards"));
}

TEST_F(ShardLoaderTest, HasNothingForARankWithoutShards) {
  const dataset::Reader reader(path);
  ShardLoader loader = make_loader(reader, 5, 6);
  EXPECT_THAT(test::thrown_message<Error>([&] { loader.next(); }), HasSubstr("all 0 shards"));
}

TEST_F(ShardLoaderTest, MayBeAbandonedAnyTime) {
  const dataset::Reader reader(path);
  for (int round = 0; round < 50; ++round) {
    ShardLoader loader = make_loader(reader, 0, 1, 1 + round % 3);
    for (int shard = 0; shard < round % 12; ++shard) loader.next();
  }
}

TEST_F(ShardLoaderTest, RethrowsWhatTheThreadThrows) {
  const dataset::Reader reader(path);
  std::filesystem::resize_file(path, 100);
  ShardLoader loader = make_loader(reader);
  for (int attempt = 0; attempt < 2; ++attempt)
    EXPECT_THAT(test::thrown_message<Error>([&] { loader.next(); }), HasSubstr("train/labels in"));
}

TEST_F(ShardLoaderTest, NoticesAChangedFile) {
  const dataset::Reader reader(path);
  std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(1));
  ShardLoader loader = make_loader(reader);
  EXPECT_THAT(test::thrown_message<Error>([&] { loader.next(); }), HasSubstr("data.h5 was changed"));
}

TEST_F(ShardLoaderTest, HandsOutWhatWasWholeBeforeAFailure) {
  const dataset::EpochOrder order(seed, epoch, 47);
  replace_by_jpeg_with_a_damaged_one(order(5 * 3 + 1));
  const dataset::Reader reader(path);
  ShardLoader loader = make_loader(reader, 0, 1, 100);
  std::this_thread::sleep_for(
      std::chrono::milliseconds(50));  // so that the thread has failed before the first shard is asked for
  for (int shard = 0; shard < 5; ++shard) EXPECT_EQ(loader.next().labels.size(), 3U);
  EXPECT_THAT(test::thrown_message<Error>([&] { loader.next(); }),
              HasSubstr("picture " + std::to_string(order(16)) + " "));
}

TEST_F(ShardLoaderTest, CountsSeconds) {
  const dataset::Reader reader(path);
  ShardLoader loader = make_loader(reader);
  for (int shard = 0; shard < 12; ++shard) loader.next();
  const ShardLoader::Seconds seconds = loader.seconds();
  EXPECT_GT(seconds.read, 0);
  EXPECT_GT(seconds.augment, 0);
}

}  // namespace
}  // namespace whorl::train
