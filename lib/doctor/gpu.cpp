// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/gpu.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "collective/all_reduce.hpp"
#include "doctor/watchdog.hpp"
#include "gpu/device.hpp"

namespace whorl::gpu {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Health, free_bytes, total_bytes, to_gpu, from_gpu, intact)

}  // namespace whorl::gpu

namespace whorl::doctor {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GpuFacts, on_node, usable, name, bus_id, failure, health)

namespace {

constexpr std::size_t copied_bytes = 64 << 20, summed_values = 1 << 20;
constexpr int sums = 5;
constexpr double least_free = 0.9;  // of a GPU's memory; contexts of CUDA take some
constexpr double outlier = 2;       // times slower than the median GPU

double slower_copy(const GpuFacts& gpu) {
  return std::min(gpu.health.to_gpu, gpu.health.from_gpu);
}

std::string gpu_name(const Layout& layout, const std::vector<GpuFacts>& gpus, std::size_t rank) {
  return fmt::format("{} of {}", gpus[rank].name, layout.name(static_cast<int>(rank)));
}

std::string memory_text(const GpuFacts& gpu) {
  return fmt::format("{} of {} free", format_bytes(gpu.health.free_bytes),
                     format_bytes(gpu.health.total_bytes));
}

std::string speed_text(const GpuFacts& gpu) {
  return fmt::format("{}/s to it, {}/s from it", format_bytes(gpu.health.to_gpu),
                     format_bytes(gpu.health.from_gpu));
}

/// A GPU that does not work.
std::optional<Finding> broken_gpu(const Layout& layout, const std::vector<GpuFacts>& gpus) {
  for (std::size_t rank = 0; rank < gpus.size(); ++rank) {
    if (gpus[rank].usable == 0)
      return Finding{
          Level::fail,
          fmt::format("{}: CUDA can use none of {} GPUs", layout.name(static_cast<int>(rank)),
                      gpus[rank].on_node),
          "see nvidia-smi there: the driver may be too old for this build; or ask for them (sbatch "
          "--gpus-per-node)"};
    const bool is_damaged = gpus[rank].failure.empty() && !gpus[rank].health.intact;
    if (!gpus[rank].failure.empty() || is_damaged)
      return Finding{
          Level::fail,
          gpu_name(layout, gpus, rank) + ": " +
              (is_damaged ? "what is copied to it and back is damaged" : gpus[rank].failure),
          "see nvidia-smi -q there for its errors; leave the node out (--exclude) and tell the site"};
  }
  return std::nullopt;
}

std::vector<gpu::Placement> placements_of(const Layout& layout, const std::vector<GpuFacts>& gpus) {
  std::vector<gpu::Placement> placements;
  for (std::size_t rank = 0; rank < gpus.size(); ++rank)
    placements.push_back({layout.hosts[rank], gpus[rank].bus_id});
  return placements;
}

GpuFacts examine(const mpi::Communicator& comm) {
  GpuFacts facts;
  facts.on_node = count_gpus();
  facts.usable = gpu::count_gpus();
  if (comm.min(facts.usable) == 0) return facts;
  facts.name = gpu::claim_gpu(comm, true);
  try {
    const LocalWork work("copying to and from a GPU");
    facts.bus_id = gpu::current_gpu();
    facts.health = gpu::examine_gpu(copied_bytes);
  } catch (const Error& error) {
    facts.failure = error.what();
  }
  return facts;
}

/// Seconds of the quickest of some sums; 0 where one of them is wrong.
double time_sum(const mpi::Communicator& comm) {
  const auto all_reduce = collective::make_all_reduce("nccl", comm);
  const std::span<std::int64_t> values = all_reduce->allocate<std::int64_t>(summed_values);
  const std::int64_t ranks = comm.size();
  double least = 0;
  for (int i = 0; i < sums; ++i) {
    for (std::size_t j = 0; j < values.size(); ++j)
      values[j] = static_cast<std::int64_t>(j) * ranks + comm.rank();
    const auto start = std::chrono::steady_clock::now();
    all_reduce->sum(values);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (std::size_t j = 0; j < values.size(); ++j) {
      if (values[j] != static_cast<std::int64_t>(j) * ranks * ranks + ranks * (ranks - 1) / 2) return 0;
    }
    least = i == 0 ? seconds : std::min(least, seconds);
  }
  return least;
}

}  // namespace

int count_gpus(const std::filesystem::path& root) {
  int gpus = 0;
  while (std::filesystem::exists(root / fmt::format("dev/nvidia{}", gpus))) ++gpus;
  return gpus;
}

std::vector<Finding> judge_gpus(const Layout& layout, bool in_build, const std::vector<GpuFacts>& gpus) {
  const auto most = std::ranges::max_element(gpus, {}, &GpuFacts::on_node);
  const bool is_any =
      std::ranges::any_of(gpus, [](const GpuFacts& gpu) { return gpu.on_node + gpu.usable > 0; });
  if (!is_any)
    return {{Level::ok, in_build ? "no node has any" : "not in this build, and no node has any", ""}};
  if (!in_build)
    return {{Level::warn,
             fmt::format("not in this build: {} has {} that stay idle",
                         layout.host_of(static_cast<int>(most - gpus.begin())), most->on_node),
             "ask for nodes without GPUs, or build with CUDA (WHORL_CUDA in CONTRIBUTING.md)"}};
  if (const auto broken = broken_gpu(layout, gpus)) return {*broken};

  std::vector<Finding> findings;
  if (const std::string shared = gpu::shared_gpu(placements_of(layout, gpus)); !shared.empty())
    findings.push_back({Level::warn, shared, "start one rank for each GPU (jobs/launch.sh --gpus)"});
  const auto fullest = std::ranges::min_element(
      gpus, {}, [](const GpuFacts& gpu) { return gpu.health.free_bytes / gpu.health.total_bytes; });
  if (fullest->health.free_bytes < least_free * fullest->health.total_bytes)
    findings.push_back({Level::warn,
                        gpu_name(layout, gpus, static_cast<std::size_t>(fullest - gpus.begin())) + ": " +
                            memory_text(*fullest),
                        "nvidia-smi there shows what takes the rest"});
  std::vector<double> speeds;
  for (const GpuFacts& gpu : gpus) speeds.push_back(slower_copy(gpu));
  std::ranges::nth_element(speeds, speeds.begin() + std::ssize(speeds) / 2);
  const auto slowest = std::ranges::min_element(gpus, {}, slower_copy);
  const std::string text = gpu_name(layout, gpus, static_cast<std::size_t>(slowest - gpus.begin())) +
                           (gpus.size() > 1 ? ", the slowest: " : ": ") + memory_text(*slowest) + ", " +
                           speed_text(*slowest);
  if (outlier * slower_copy(*slowest) < speeds[speeds.size() / 2])
    findings.push_back({Level::warn, text,
                        "bind ranks near their GPUs (nvidia-smi topo -m), and see nvidia-smi -q there for a "
                        "link of too few lanes"});
  if (findings.empty()) findings.push_back({Level::ok, text, ""});
  return findings;
}

Check check_gpus(const mpi::Communicator& comm, const Layout& layout) {
  const std::vector<GpuFacts> gpus = gather(comm, examine(comm));
  return {.name = "GPU",
          .findings = judge_gpus(layout, gpu::is_in_build(), gpus),
          .figures = {{"in_build", gpu::is_in_build()}, {"by_rank", gpus}}};
}

Check check_nccl(const mpi::Communicator& comm, const Layout& layout) {
  Check check{.name = "NCCL", .findings = {}, .figures = {{"tried", false}}};
  const std::vector<std::string> algorithms = collective::available_algorithms();
  if (std::ranges::find(algorithms, "nccl") == algorithms.end()) {
    check.findings = {{Level::ok, "not in this build", ""}};
    return check;
  }
  if (comm.min(gpu::count_gpus()) == 0) {
    check.findings = {{Level::ok, "not tried: not every node has a GPU", ""}};
    return check;
  }
  try {
    gpu::claim_gpu(comm, false);
    // Messages of its own: a rank that fails stops taking part in them, and not in what the ranks then agree
    // on.
    const mpi::Communicator part = comm.split(0, comm.rank());
    double seconds = 0;
    mpi::together(comm, [&] { seconds = time_sum(part); });
    const bool is_right = comm.min(seconds) > 0;
    seconds = comm.max(seconds);
    check.figures = {
        {"tried", true}, {"right", is_right}, {"bytes", 8 * summed_values}, {"seconds", seconds}};
    if (is_right) {
      check.findings = {{Level::ok,
                         fmt::format("{} of every rank summed right over {} GPUs in {:.2f} ms, slowest rank",
                                     format_bytes(8.0 * summed_values), layout.size(), 1e3 * seconds),
                         ""}};
    } else {
      check.findings = {
          {Level::fail, "sums are wrong",
           "do not train with --parallel.all_reduce=nccl here; see the GPUs above, and tell the site"}};
    }
  } catch (const CollectiveError& error) {
    check.findings = {
        {Level::warn, error.what(),
         "train with another --parallel.all_reduce; NCCL_DEBUG=INFO tells more of NCCL's failures"}};
  }
  return check;
}

}  // namespace whorl::doctor
