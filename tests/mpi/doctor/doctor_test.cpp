// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <optional>
#include <set>

#include "doctor/binding.hpp"
#include "doctor/clock.hpp"
#include "doctor/gpu.hpp"
#include "doctor/links.hpp"
#include "doctor/memory.hpp"
#include "doctor/mpi_library.hpp"
#include "doctor/scratch.hpp"
#include "doctor/self_test.hpp"
#include "support/temporary_folder.hpp"

namespace whorl::doctor {
namespace {

class Doctor : public testing::Test {
 protected:
  Doctor() : world_(mpi::Communicator::world()), layout_(layout_of(world_)) {
    if (world_.is_root()) {
      folder_.emplace();
      path_ = folder_->path().string();
    }
    world_.broadcast(path_);
  }
  ~Doctor() override { world_.barrier(); }
  std::filesystem::path folder() const { return path_; }
  void expect_the_same_everywhere(const Check& check) const {
    const std::string mine = nlohmann::json(check.figures).dump() + check.findings.at(0).text;
    for (const std::string& text : world_.all_gather(mine)) EXPECT_EQ(text, mine) << check.name;
  }

  mpi::Communicator world_;
  Layout layout_;

 private:
  std::optional<test::TemporaryFolder> folder_;
  std::string path_;
};

TEST_F(Doctor, GathersByRank) {
  const std::vector<std::vector<int>> all = gather(world_, std::vector<int>(3, world_.rank()));
  for (int rank = 0; rank < world_.size(); ++rank)
    EXPECT_EQ(all.at(static_cast<std::size_t>(rank)), std::vector<int>(3, rank));
}

TEST_F(Doctor, EveryRankComesToTheSameJudgement) {
  for (const auto check : {check_binding, check_clock, check_mpi_library, check_within_nodes,
                           check_between_nodes, check_wall_clocks, check_memory, check_gpus, check_nccl})
    expect_the_same_everywhere(check(world_, layout_));
}

TEST_F(Doctor, EveryPairIsTimedOnceAndIntact) {
  std::vector<int> everybody(static_cast<std::size_t>(world_.size()));
  std::iota(everybody.begin(), everybody.end(), 0);
  const PairTimes times = time_pairs(world_, everybody, 60);
  std::set<std::pair<int, int>> pairs;
  for (const PairTime& pair : times.pairs) {
    EXPECT_LT(pair.first, pair.second);
    EXPECT_TRUE(pair.intact);
    EXPECT_GT(pair.latency, 0);
    EXPECT_GT(pair.bandwidth, 0);
    pairs.emplace(pair.first, pair.second);
  }
  const auto expected = static_cast<std::size_t>(world_.size() * (world_.size() - 1) / 2);
  EXPECT_EQ(times.pairs.size(), expected);
  EXPECT_EQ(pairs.size(), expected);
  EXPECT_EQ(times.rounds, times.all_rounds);
  EXPECT_EQ(times.bytes_sent > 0, world_.size() > 1);
}

TEST_F(Doctor, WithoutTimeNoPairIsTimed) {
  EXPECT_EQ(time_pairs(world_, {world_.rank()}, 0).rounds, 0);
}

// All ranks have the same clock, so that the true difference is 0.
TEST_F(Doctor, ClockOffsetsAreAsCertainAsTheySay) {
  std::vector<int> everybody(static_cast<std::size_t>(world_.size()));
  std::iota(everybody.begin(), everybody.end(), 0);
  const std::vector<ClockOffset> offsets = clock_offsets(world_, everybody);
  ASSERT_EQ(offsets.size(), everybody.size());
  for (const ClockOffset& offset : offsets) EXPECT_LE(std::abs(offset.seconds), offset.uncertainty + 1e-6);
}

TEST_F(Doctor, MpiIoAndHdf5ReadWhatOthersWrote) {
  const std::vector<int> none(static_cast<std::size_t>(world_.size()));
  EXPECT_EQ(write_and_read_by_mpi_io(world_, folder() / "mpi-io"), none);
  EXPECT_EQ(write_and_read_by_hdf5(world_, folder() / "values.h5"), none);
}

TEST_F(Doctor, TheScratchFolderIsLeftEmpty) {
  const std::vector<Check> checks = check_scratch(world_, layout_, folder());
  ASSERT_EQ(checks.size(), 3U);
  EXPECT_EQ(checks[0].name, "MPI-IO");
  EXPECT_EQ(checks[1].name, "HDF5");
  EXPECT_EQ(checks[2].name, "disk");
  EXPECT_GT(checks[2].figures.at("by_node").at(0).at("write_rate").get<double>(), 0);
  for (const Check& check : checks) {
    EXPECT_NE(check.level(), Level::fail) << check.findings.at(0).text;
    expect_the_same_everywhere(check);
  }
  world_.barrier();
  EXPECT_TRUE(std::filesystem::is_empty(folder()));
}

TEST_F(Doctor, AScratchThatIsNotThereFailsOnEveryRank) {
  const std::vector<Check> checks = check_scratch(world_, layout_, folder() / "none");
  ASSERT_EQ(checks.size(), 1U);
  EXPECT_EQ(checks[0].level(), Level::fail);
  const std::string& text = checks[0].findings.at(0).text;
  EXPECT_NE(text.find("none: No such file or directory"), std::string::npos) << text;
  EXPECT_NE(checks[0].findings.at(0).remedy.find("--scratch"), std::string::npos);
}

}  // namespace
}  // namespace whorl::doctor
