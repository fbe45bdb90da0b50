// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>

#include "doctor/finding.hpp"
#include "doctor/layout.hpp"

namespace whorl::doctor {

/// Memory of a node as a process there sees it, in bytes; `no_limit` where nothing limits it.
struct Memory {
  double available = 0;      ///< what programs of the node can still have
  double cgroup_limit = 0;   ///< of the job (control group, version 1 or 2)
  double lockable = 0;       ///< ulimit -l: what RDMA may register
  double shared_free = 0;    ///< in /dev/shm
  double reserved_huge = 0;  ///< huge pages set aside by the administrator
  std::string huge_pages;    ///< transparent ones: always, madvise, never; empty where the kernel has none
  bool has_rdma = false;     ///< an active port of InfiniBand, Omni-Path or RoCE

  /// For the ranks of this node together.
  double for_ranks() const { return std::min(available, cgroup_limit); }
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Memory, available, cgroup_limit, lockable, shared_free, reserved_huge,
                                   huge_pages, has_rdma)
constexpr double no_limit = 1e18;

/// `root` is where /proc, /sys and /dev are; tests have their own.
Memory memory_of_this_node(const std::filesystem::path& root = "/");

/// Too little memory or shared memory for the ranks, limits that RDMA does not work with, no huge pages.
/// `memories`: by rank.
std::vector<Finding> judge_memory(const Layout& layout, const std::vector<Memory>& memories);

/// Collective.
Check check_memory(const mpi::Communicator& comm, const Layout& layout);

}  // namespace whorl::doctor
