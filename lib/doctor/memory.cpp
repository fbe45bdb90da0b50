// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/memory.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/progress.hpp"
#include "doctor/traffic.hpp"

namespace whorl::doctor {

namespace {

namespace fs = std::filesystem;

// Of each rank. Training ResNet-18 at 192 pixels takes about 1 GB; its gradients of 11 million parameters, as
// 8-byte sums, 90 MB of shared memory.
constexpr double little_memory = 1e9, too_little_memory = 0.25e9, little_shared = 0.1e9, little_locked = 64e6;

double number_in(const fs::path& file, double otherwise) {
  double value = 0;
  return std::ifstream(file) >> value ? value : otherwise;
}

/// The least of `file` in `folder` and those above it, up to `top`: a control group has the limits of all
/// that it is in.
double least_limit(fs::path folder, const fs::path& top, const char* file) {
  double least = no_limit;
  for (;; folder = folder.parent_path()) {
    least = std::min(least, number_in(folder / file, no_limit));  // "max" is no number
    if (folder == top || !folder.has_relative_path()) return least;
  }
}

// Lines of /proc/self/cgroup: "0::/path" (version 2), "4:memory:/path" (version 1).
double cgroup_limit(const fs::path& root) {
  double least = no_limit;
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t path = line.find(":/");
    if (path == std::string::npos) continue;
    const fs::path relative = fs::path(line.substr(path + 1)).relative_path();
    const fs::path version_2 = root / "sys/fs/cgroup", version_1 = root / "sys/fs/cgroup/memory";
    if (line.starts_with("0::"))
      least = std::min(least, least_limit(version_2 / relative, version_2, "memory.max"));
    else if (line.find(":memory:") != std::string::npos)
      least = std::min(least, least_limit(version_1 / relative, version_1, "memory.limit_in_bytes"));
  }
  return least;
}

/// Bytes that a line of /proc/meminfo, such as "MemAvailable:  24118904 kB", says.
double meminfo(const fs::path& root, const std::string& name) {
  std::ifstream file(root / "proc/meminfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ":")) return 1024 * std::stod(line.substr(name.size() + 1));
  return 0;
}

double shared_free(const fs::path& root) {
  struct statvfs status {};
  if (::statvfs((root / "dev/shm").c_str(), &status) != 0) return 0;
  return static_cast<double>(status.f_bavail) * static_cast<double>(status.f_frsize);
}

double lockable() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return no_limit;
  return static_cast<double>(limit.rlim_cur);
}

/// "always [madvise] never" has the choice in brackets.
std::string transparent_huge_pages(const fs::path& root) {
  std::ifstream file(root / "sys/kernel/mm/transparent_hugepage/enabled");
  for (std::string word; file >> word;)
    if (word.starts_with('[')) return word.substr(1, word.size() - 2);
  return "";
}

/// A rank on the node with the least of something for each of its ranks.
template <typename Amount>
int poorest(const Layout& layout, const std::vector<Memory>& memories, Amount amount) {
  return std::ranges::min(layout.first_ranks(), {}, [&](int rank) {
    const auto index = static_cast<std::size_t>(rank);
    return amount(memories[index]) / static_cast<double>(layout.ranks_on(layout.nodes[index]).size());
  });
}

Finding judge_size(const Layout& layout, const std::vector<Memory>& memories) {
  const int rank = poorest(layout, memories, [](const Memory& memory) { return memory.for_ranks(); });
  const auto index = static_cast<std::size_t>(rank);
  const Memory& memory = memories[index];
  const auto ranks = static_cast<double>(layout.ranks_on(layout.nodes[index]).size());
  std::string text =
      fmt::format("{} for each rank on {}", format_bytes(memory.for_ranks() / ranks), layout.host_of(rank));
  if (memory.cgroup_limit < memory.available)
    text += fmt::format(", by a limit of {} on the job there", format_bytes(memory.cgroup_limit));
  if (memory.for_ranks() >= little_memory * ranks) return {Level::ok, text, ""};
  return {memory.for_ranks() < too_little_memory * ranks ? Level::fail : Level::warn, text,
          "ask for more (--mem), or fewer ranks on a node; a rank that runs out is killed"};
}

Finding judge_shared(const Layout& layout, const std::vector<Memory>& memories) {
  const int rank = poorest(layout, memories, [](const Memory& memory) { return memory.shared_free; });
  const auto index = static_cast<std::size_t>(rank);
  const auto ranks = static_cast<double>(layout.ranks_on(layout.nodes[index]).size());
  const double each = memories[index].shared_free / ranks;
  const std::string text =
      fmt::format("{} of /dev/shm for each rank on {}", format_bytes(each), layout.host_of(rank));
  if (each >= little_shared) return {Level::ok, text, ""};
  return {Level::warn, text,
          "the all-reduce in shared memory needs 8 bytes a parameter and rank, MPI some more: enlarge it "
          "(docker --shm-size, mount -o remount,size=), or remove what is left there"};
}

Finding judge_lockable(const Layout& layout, const std::vector<Memory>& memories) {
  const auto least = std::ranges::min_element(memories, {}, &Memory::lockable);
  const std::string text =
      fmt::format("{} may be locked (ulimit -l)",
                  least->lockable >= no_limit ? "any amount" : format_bytes(least->lockable));
  const bool has_rdma = std::ranges::any_of(memories, &Memory::has_rdma);
  if (!has_rdma) return {Level::ok, text + ", which matters for RDMA only: there is none", ""};
  if (least->lockable >= little_locked) return {Level::ok, text, ""};
  return {Level::warn, text + " on " + layout.host_of(static_cast<int>(least - memories.begin())),
          "RDMA registers its buffers: ask for \"ulimit -l unlimited\" in the job (Slurm: "
          "PropagateResourceLimits, "
          "LimitMEMLOCK of slurmd)"};
}

Finding judge_huge_pages(const Layout& layout, const std::vector<Memory>& memories) {
  const auto never = std::ranges::find(memories, "never", &Memory::huge_pages);
  if (never == memories.end())
    return {Level::ok,
            fmt::format("transparent huge pages: {}",
                        memories[0].huge_pages.empty() ? "unknown" : memories[0].huge_pages),
            ""};
  return {Level::warn,
          "no transparent huge pages on " + layout.host_of(static_cast<int>(never - memories.begin())),
          "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled (the site does it): large buffers then "
          "miss the TLB less"};
}

}  // namespace

Memory memory_of_this_node(const fs::path& root) {
  return {.available = meminfo(root, "MemAvailable"),
          .cgroup_limit = cgroup_limit(root),
          .lockable = lockable(),
          .shared_free = shared_free(root),
          .reserved_huge = meminfo(root, "Hugetlb"),
          .huge_pages = transparent_huge_pages(root),
          .has_rdma = !active_rdma_ports(root).empty()};
}

std::vector<Finding> judge_memory(const Layout& layout, const std::vector<Memory>& memories) {
  return {judge_size(layout, memories), judge_shared(layout, memories), judge_lockable(layout, memories),
          judge_huge_pages(layout, memories)};
}

Check check_memory(const mpi::Communicator& comm, const Layout& layout) {
  const std::vector<Memory> memories = gather(comm, memory_of_this_node());
  return {.name = "memory", .findings = judge_memory(layout, memories), .figures = {{"by_rank", memories}}};
}

}  // namespace whorl::doctor
