// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "doctor/finding.hpp"
#include "doctor/layout.hpp"
#include "gpu/health.hpp"

namespace whorl::doctor {

/// The GPUs of a rank's node, and the one that the rank would compute on.
struct GpuFacts {
  int on_node = 0, usable = 0;        ///< device files; those that CUDA can use
  std::string name, bus_id, failure;  ///< `failure`: why it could not be examined; else
  gpu::Health health;
};

/// In a build without CUDA: GPUs that stay idle. Else GPUs that cannot be used, fail, damage what is copied,
/// are shared, full or slow. `gpus`: by rank.
std::vector<Finding> judge_gpus(const Layout& layout, bool in_build, const std::vector<GpuFacts>& gpus);

/// NVIDIA's, by their device files; `root` is where /dev is.
int count_gpus(const std::filesystem::path& root = "/");

/// Both are collective.
Check check_gpus(const mpi::Communicator& comm, const Layout& layout);
/// A sum by NCCL over all ranks, compared; where every rank has a GPU of its own.
Check check_nccl(const mpi::Communicator& comm, const Layout& layout);

}  // namespace whorl::doctor
