// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/binding.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <thread>

#include "mpi/cores.hpp"

namespace whorl::doctor {

namespace {

/// A thread that asks for every CPU gets those that the job's cgroup has, whatever this process is bound to.
std::vector<int> allowed_cpus() {
  std::vector<int> cpus;
  std::thread([&cpus] {
    std::array<cpu_set_t, 8> every{};
    for (int cpu = 0; cpu < static_cast<int>(8 * sizeof every); ++cpu)
      CPU_SET_S(cpu, sizeof every, every.data());
    // Where that is forbidden, what this process is bound to is all that is known.
    static_cast<void>(sched_setaffinity(0, sizeof every, every.data()));
    cpus = mpi::bound_cpus();
  }).join();
  return cpus;
}

/// Ranks that are linked by common cores, and these cores.
struct Group {
  std::vector<int> ranks;
  std::set<int> cores;
};

std::vector<Group> groups_of(const std::vector<int>& ranks, const std::vector<Binding>& bindings) {
  std::vector<Group> groups;
  for (const int rank : ranks) {
    const std::vector<int>& bound = bindings[static_cast<std::size_t>(rank)].bound;
    Group merged{{rank}, {bound.begin(), bound.end()}};
    std::erase_if(groups, [&](const Group& other) {
      if (std::ranges::none_of(bound, [&](int core) { return other.cores.contains(core); })) return false;
      merged.ranks.insert(merged.ranks.begin(), other.ranks.begin(), other.ranks.end());
      merged.cores.insert(other.cores.begin(), other.cores.end());
      return true;
    });
    groups.push_back(merged);
  }
  return groups;
}

std::string cores_text(const std::set<int>& cores) {
  return fmt::format("core{} {}", cores.size() == 1 ? "" : "s",
                     mpi::ranges_text({cores.begin(), cores.end()}));
}

std::string ranks_text(const std::vector<int>& ranks) {
  return fmt::format("rank{} {}", ranks.size() == 1 ? "" : "s", mpi::ranges_text(ranks));
}

std::string bind_remedy(std::size_t ranks_on_node, int threads) {
  return fmt::format(
      "start it by jobs/launch.sh, or mpirun --map-by ppr:{}:node:PE={} --bind-to core, or srun "
      "--cpus-per-task={} --cpu-bind=cores",
      ranks_on_node, threads, threads);
}

/// The finding of one node.
Finding judge_node(const Layout& layout, const std::vector<Binding>& bindings, int node) {
  const std::vector<int> ranks = layout.ranks_on(node);
  const std::string& host = layout.host_of(ranks.front());
  const std::size_t allowed = bindings[static_cast<std::size_t>(ranks.front())].allowed.size();
  const auto threads = static_cast<std::size_t>(layout.threads), wanted = ranks.size() * threads;
  const std::string work = fmt::format("{} rank{} of {} thread{} on {}", ranks.size(),
                                       ranks.size() == 1 ? "" : "s", threads, threads == 1 ? "" : "s", host);
  if (wanted > allowed)
    return {Level::warn, fmt::format("{} have only {} core{}", work, allowed, allowed == 1 ? "" : "s"),
            fmt::format("at most {} threads on a node: fewer ranks (--ntasks-per-node, --ranks) or fewer "
                        "threads (--cpus-per-task, OMP_NUM_THREADS)",
                        allowed)};
  const std::vector<Group> groups = groups_of(ranks, bindings);
  for (const Group& group : groups) {
    if (group.ranks.size() * threads > group.cores.size())
      return {
          Level::fail,
          fmt::format("{} on {}, with {} thread{} each, {} bound to {}, while the job may use {} cores there",
                      ranks_text(group.ranks), host, threads, threads == 1 ? "" : "s",
                      group.ranks.size() == 1 ? "is" : "are all", cores_text(group.cores), allowed),
          bind_remedy(ranks.size(), layout.threads)};
  }
  for (const Group& group : groups) {
    if (group.ranks.size() > 1)
      return {Level::warn,
              fmt::format("{} on {} are not bound each to cores of its own, but all to {}",
                          ranks_text(group.ranks), host, cores_text(group.cores)),
              bind_remedy(ranks.size(), layout.threads)};
  }
  if (wanted < allowed)
    return {Level::warn,
            fmt::format("{} leave{} {} of {} cores idle", work, ranks.size() == 1 ? "s" : "",
                        allowed - wanted, allowed),
            "more ranks (--ntasks-per-node, --ranks) or threads (--cpus-per-task, --threads) use them"};
  return {Level::ok, fmt::format("{}, each bound to cores of its own", work), ""};
}

}  // namespace

Binding binding_of_this_rank() {
  const std::vector<int> cpus = allowed_cpus();
  Binding binding{.bound = mpi::cores_of(mpi::bound_cpus()), .allowed = mpi::cores_of(cpus)};
  if (const char* text = std::getenv("SLURM_CPUS_ON_NODE")) {
    const std::size_t cpus_a_core = std::max<std::size_t>(1, cpus.size() / binding.allowed.size());
    const auto of_slurm = static_cast<std::size_t>(std::max(1, std::atoi(text)));
    binding.allowed.resize(std::min(binding.allowed.size(), (of_slurm + cpus_a_core - 1) / cpus_a_core));
  }
  return binding;
}

std::vector<Finding> judge_binding(const Layout& layout, const std::vector<Binding>& bindings) {
  std::vector<Finding> nodes;
  for (int node = 0; node < layout.node_count(); ++node) nodes.push_back(judge_node(layout, bindings, node));
  Finding worst = *std::ranges::max_element(nodes, {}, &Finding::level);
  const auto alike = std::ranges::count(nodes, worst.level, &Finding::level);
  if (alike > 1)
    worst.text += fmt::format("; {}{} nodes alike", alike == std::ssize(nodes) ? "all " : "", alike);
  return {worst};
}

Check check_binding(const mpi::Communicator& comm, const Layout& layout) {
  const std::vector<Binding> bindings = gather(comm, binding_of_this_rank());
  return {.name = "binding",
          .findings = judge_binding(layout, bindings),
          .figures = {{"threads_per_rank", layout.threads}, {"cores_by_rank", bindings}}};
}

}  // namespace whorl::doctor
