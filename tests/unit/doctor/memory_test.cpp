// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/memory.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "layouts.hpp"
#include "support/temporary_folder.hpp"

namespace whorl::doctor {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

const Memory plenty{.available = 64e9,
                    .cgroup_limit = no_limit,
                    .lockable = no_limit,
                    .shared_free = 32e9,
                    .huge_pages = "madvise"};

/// The findings in their order: memory, /dev/shm, locked memory, huge pages.
std::vector<Level> levels(const Layout& layout, const std::vector<Memory>& memories) {
  std::vector<Level> result;
  for (const Finding& finding : judge_memory(layout, memories)) {
    EXPECT_EQ(finding.remedy.empty(), finding.level == Level::ok) << finding.text;
    result.push_back(finding.level);
  }
  return result;
}

TEST(Memory, IsReadFromTheKernel) {
  const test::TemporaryFolder root;
  write(root / "proc/meminfo",
        "MemTotal:       24684092 kB\nMemAvailable:       2000 kB\nHugetlb:            2048 kB\n");
  write(root / "sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n");
  const Memory memory = memory_of_this_node(root.path());
  EXPECT_EQ(memory.available, 2048000);
  EXPECT_EQ(memory.reserved_huge, 2097152);
  EXPECT_EQ(memory.huge_pages, "never");
  EXPECT_EQ(memory.cgroup_limit, no_limit);
  EXPECT_FALSE(memory.has_rdma);
}

TEST(Memory, AControlGroupHasTheLimitsOfAllItIsIn) {
  const test::TemporaryFolder root;
  write(root / "proc/self/cgroup", "0::/slurm/job_7/step_0\n");
  write(root / "sys/fs/cgroup/slurm/job_7/step_0/memory.max", "max\n");
  write(root / "sys/fs/cgroup/slurm/job_7/memory.max", "3000000\n");
  write(root / "sys/fs/cgroup/slurm/memory.max", "5000000\n");
  EXPECT_EQ(memory_of_this_node(root.path()).cgroup_limit, 3e6);
}

TEST(Memory, VersionOneHasAHierarchyForMemory) {
  const test::TemporaryFolder root;
  write(root / "proc/self/cgroup", "5:cpu:/other\n4:memory:/slurm/job_7\n0::/\n");
  write(root / "sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes", "9223372036854771712\n");
  write(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", "4000000\n");
  EXPECT_EQ(memory_of_this_node(root.path()).cgroup_limit, 4e6);
  write(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(memory_of_this_node(root.path()).cgroup_limit, no_limit);
}

TEST(Memory, PlentyIsRight) {
  EXPECT_EQ(levels(one_node, {plenty, plenty}), (std::vector<Level>(4, Level::ok)));
}

TEST(Memory, ALimitIsSharedByTheRanksOfItsNode) {
  Memory limited = plenty;
  limited.cgroup_limit = 1.5e9;
  EXPECT_EQ(levels(three_nodes, {plenty, limited, plenty})[0], Level::ok);
  const std::vector<Memory> by_rank{plenty, plenty, limited, limited};
  EXPECT_EQ(levels(two_nodes, by_rank)[0], Level::warn);
  EXPECT_EQ(judge_memory(two_nodes, by_rank)[0].text,
            "750.0 MB for each rank on b, by a limit of 1.5 GB on the job there");
  limited.cgroup_limit = 0.4e9;
  EXPECT_EQ(levels(two_nodes, {limited, limited, plenty, plenty})[0], Level::fail);
}

TEST(Memory, LittleSharedMemoryIsAWarning) {
  Memory small = plenty;
  small.shared_free = 64e6;  // what containers have by default
  EXPECT_EQ(levels(one_node, {small, small})[1], Level::warn);
}

TEST(Memory, LockedMemoryMattersForRdmaOnly) {
  Memory small = plenty;
  small.lockable = 8e6;
  EXPECT_EQ(levels(one_node, {plenty, small})[2], Level::ok);
  small.has_rdma = true;
  EXPECT_EQ(levels(one_node, {plenty, small})[2], Level::warn);
}

TEST(Memory, NoHugePagesIsAWarning) {
  Memory without = plenty;
  without.huge_pages = "never";
  EXPECT_EQ(levels(three_nodes, {plenty, plenty, without})[3], Level::warn);
  EXPECT_NE(judge_memory(three_nodes, {plenty, plenty, without})[3].text.find(" on c"), std::string::npos);
}

}  // namespace
}  // namespace whorl::doctor
