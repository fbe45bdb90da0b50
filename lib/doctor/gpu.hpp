// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>

#include "doctor/finding.hpp"
#include "doctor/layout.hpp"

namespace whorl::doctor {

/// This build computes on CPUs only. Nodes whose GPUs it leaves idle; `gpus`: by rank, how many its node has.
std::vector<Finding> judge_gpus(const Layout& layout, const std::vector<int>& gpus);

/// NVIDIA's, by their device files; `root` is where /dev is.
int count_gpus(const std::filesystem::path& root = "/");

/// Collective.
Check check_gpus(const mpi::Communicator& comm, const Layout& layout);

}  // namespace whorl::doctor
