// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.hpp"
#include "readbench/measurement.hpp"
#include "readbench/prepare.hpp"
#include "support/dataset_file.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_message.hpp"

namespace whorl::readbench {
namespace {

using ::testing::HasSubstr;

/// Each rank has its own equal files, as on nodes without a common file system.
class BenchTest : public ::testing::Test {
 protected:
  Study study_of(std::int64_t pictures) {
    test::DatasetFile{.image_size = 32, .train_count = pictures, .test_count = 0}.write(folder / "set.h5");
    Study study{.sources = prepare(folder / "forms", folder / "set.h5")};
    study.batch = {5};
    study.batches = {3};
    study.prefetch = {0, 2};
    study.order = {dataset::Order::sequential, dataset::Order::shuffled, dataset::Order::window};
    study.repeat = 1;
    return study;
  }
  const mpi::Communicator world = mpi::Communicator::world();
  test::TemporaryFolder folder;
};

TEST_F(BenchTest, CountsWhatAllRanksRead) {
  const Study study = study_of(13);
  Bench bench(study, world);
  int turns = 0;
  for (const Measurement& m : bench.measure([&](const Measurement&) { ++turns; })) {
    EXPECT_EQ(m.images, 15 * world.size());
    const bool pixels = study.sources[m.configuration.source].kind == "pixels" ||
                        study.sources[m.configuration.source].kind == "raw";
    EXPECT_EQ(m.decoded_bytes, pixels || m.configuration.decode ? m.images * 3072 : 0);
    EXPECT_TRUE(!pixels || m.stored_bytes == m.images * 3072);
    EXPECT_GT(m.stored_bytes, 0);
    EXPECT_GT(m.seconds, 0);
    EXPECT_GE(m.rank_rate.max, m.rank_rate.min);
    EXPECT_GE(m.p99, m.p50);
    EXPECT_GT(m.p50, 0);
    EXPECT_GE(m.imbalance, 0);
    EXPECT_TRUE(m.configuration.prefetch > 0 || m.stalls.count == 0);
  }
  EXPECT_EQ(turns, static_cast<int>(plan_turns(study).size()));
}

TEST_F(BenchTest, LeavesOutRanksWithoutPictures) {
  const Study study = study_of(2);
  Bench bench(study, world);
  for (const Measurement& m : bench.measure([](const Measurement&) {}))
    EXPECT_EQ(m.images, 15 * std::min(world.size(), 2));
}

TEST_F(BenchTest, FailsOnAllRanksWhenOneCannotOpen) {
  const Study study = study_of(4);
  if (world.rank() == world.size() - 1) std::filesystem::resize_file(folder / "forms/pixels.h5", 5000);
  EXPECT_THAT(test::thrown_message<CollectiveError>([&] { Bench(study, world); }), HasSubstr("pixels.h5"));
}

TEST_F(BenchTest, FailsOnAllRanksWhenAFileOfOneChangesMeanwhile) {
  const Study study = study_of(4);
  Bench bench(study, world);
  const auto change_in_turn_2 = [&](const Measurement& m) {
    if (m.turn != 2 || world.rank() != 0) return;
    for (const char* name : {"pictures.tar", "pixels.h5", "jpeg.h5"})
      std::ofstream(folder / "forms" / name, std::ios::app) << "more";
  };
  EXPECT_THAT(test::thrown_message<CollectiveError>([&] { bench.measure(change_in_turn_2); }),
              HasSubstr("was changed while it was being read"));
}

}  // namespace
}  // namespace whorl::readbench
