// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/cores.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <set>

#include "base/error.hpp"

namespace whorl::mpi {

std::vector<int> bound_cpus() {
  std::array<cpu_set_t, 8> set{};  // 8192 CPUs: the kernel refuses a mask smaller than its own
  const bool is_known = sched_getaffinity(0, sizeof set, set.data()) == 0;
  require(is_known, "cannot ask which CPUs this process is bound to: {}", system_error_text(errno));
  std::vector<int> cpus;
  for (int cpu = 0; cpu < static_cast<int>(8 * sizeof set); ++cpu) {
    if (CPU_ISSET_S(cpu, sizeof set, set.data())) cpus.push_back(cpu);
  }
  return cpus;
}

// The list of a core's hardware threads ("0,64", "0-1") begins with the first.
std::vector<int> cores_of(const std::vector<int>& cpus) {
  std::set<int> cores;
  for (const int cpu : cpus) {
    std::ifstream file(fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
    int first = cpu;  // what counts where the kernel does not tell
    cores.insert(file >> first ? first : cpu);
  }
  return {cores.begin(), cores.end()};
}

std::string ranges_text(const std::vector<int>& ascending) {
  std::string text;
  for (std::size_t first = 0; first < ascending.size();) {
    std::size_t last = first;
    while (last + 1 < ascending.size() && ascending[last + 1] == ascending[last] + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", ascending[first]);
    if (last > first) text += fmt::format("-{}", ascending[last]);
    first = last + 1;
  }
  return text;
}

int cores_of_this_rank(const Communicator& comm) {
  const std::vector<int> cpus = bound_cpus();
  const std::string mine = ranges_text(cpus);
  Communicator node = comm.split_by_node();
  const std::vector<std::string> all = node.all_gather(mine);
  node.close();
  const auto sharing = std::count(all.begin(), all.end(), mine);
  return std::max(1, static_cast<int>(cores_of(cpus).size()) / static_cast<int>(sharing));
}

int default_threads(const Communicator& comm) {
  const int cores = cores_of_this_rank(comm);
  const char* wanted = std::getenv("OMP_NUM_THREADS");
  return wanted == nullptr ? cores : std::max(1, std::atoi(wanted));
}

}  // namespace whorl::mpi
