// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/scratch.hpp"

#include <gtest/gtest.h>

#include <set>

#include "doctor/self_test.hpp"
#include "layouts.hpp"

namespace whorl::doctor {
namespace {

TEST(Disk, TheFileSystemIsTheLongestMountThatHoldsTheFolder) {
  const std::string mounts =
      "/dev/vda / ext4 rw 0 0\nserver:/home /home nfs4 rw 0 0\n/dev/vdb /home/scratch xfs rw 0 0\n"
      "tmpfs /scratch tmpfs rw 0 0\nlustre /scratch lustre rw 0 0\n";
  EXPECT_EQ(file_system_of("/", mounts), "ext4");
  EXPECT_EQ(file_system_of("/home/me", mounts), "nfs4");
  EXPECT_EQ(file_system_of("/home/scratch/me", mounts), "xfs");
  EXPECT_EQ(file_system_of("/home/scratched", mounts), "nfs4");
  EXPECT_EQ(file_system_of("/scratch/me", mounts), "lustre");
}

TEST(Disk, IsJudgedByRoomKindAndSpeed) {
  const Disk good{.free = 50e9, .write_rate = 400e6, .read_rate = 900e6, .is_cold = true};
  Disk full = good, slow = good;
  full.free = 0.5e9;
  slow.write_rate = 20e6;
  const auto level = [&](const std::string& type, const Disk& other) {
    const Finding finding = judge_disk(two_nodes, type, {good, other}).at(0);
    EXPECT_EQ(finding.remedy.empty(), finding.level == Level::ok);
    return finding.level;
  };
  EXPECT_EQ(level("lustre", good), Level::ok);
  EXPECT_EQ(level("lustre", full), Level::warn);
  EXPECT_EQ(level("lustre", slow), Level::warn);
  EXPECT_EQ(level("nfs4", good), Level::warn);
  EXPECT_EQ(
      judge_disk(two_nodes, "xfs", {good, slow})[0].text,
      "xfs, 50.0 GB free; 20.0 MB/s written and synchronised, 900.0 MB/s read cold by b, the slowest of 2 "
      "nodes at once");
}

TEST(SelfTest, NoTwoRanksWriteTheSameAndNobodyReadsHisOwn) {
  for (int ranks = 2; ranks <= 9; ++ranks) {
    std::set<int> authors;
    for (int rank = 0; rank < ranks; ++rank) {
      EXPECT_NE(author_for(rank, ranks), rank);
      authors.insert(author_for(rank, ranks));
    }
    EXPECT_EQ(authors.size(), static_cast<std::size_t>(ranks));
  }
  EXPECT_EQ(author_for(0, 1), 0);
  // Ranks in blocks on two nodes read what the other node wrote.
  for (int rank = 0; rank < 4; ++rank) EXPECT_NE(author_for(rank, 4) / 2, rank / 2);
  EXPECT_EQ(pattern_of(0).back() + 1, pattern_of(1).front());
}

TEST(SelfTest, WrongValuesFail) {
  EXPECT_EQ(judge_self_test(two_nodes, {0, 0, 0, 0}).level, Level::ok);
  const Finding finding = judge_self_test(two_nodes, {0, 12, 0, 5});
  EXPECT_EQ(finding.level, Level::fail);
  EXPECT_EQ(finding.text, "rank 1 (a) reads 12 of 65536 values otherwise than rank 3 (b) wrote them");
  EXPECT_FALSE(finding.remedy.empty());
}

}  // namespace
}  // namespace whorl::doctor
