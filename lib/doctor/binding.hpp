// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "doctor/finding.hpp"
#include "doctor/layout.hpp"

namespace whorl::doctor {

/// Physical cores, by the numbers of their first CPUs, ascending.
struct Binding {
  std::vector<int> bound;    ///< that a rank may run on
  std::vector<int> allowed;  ///< that the job may use on the rank's node
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Binding, bound, allowed)

/// Of this process. Where Slurm gave the job fewer CPUs of the node (SLURM_CPUS_ON_NODE) than the kernel
/// allows, `allowed` is shortened to as many.
Binding binding_of_this_rank();

/// Ranks that crowd on some cores while others are idle, ranks that share or move between cores, more
/// computing threads than cores, idle cores. `bindings`: by rank.
std::vector<Finding> judge_binding(const Layout& layout, const std::vector<Binding>& bindings);

/// Collective.
Check check_binding(const mpi::Communicator& comm, const Layout& layout);

}  // namespace whorl::doctor
