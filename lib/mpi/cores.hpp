// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mpi/communicator.hpp"

namespace whorl::mpi {

/// Logical CPUs that this process may run on, ascending.
std::vector<int> bound_cpus();
/// "0-3,8".
std::string ranges_text(const std::vector<int>& ascending);
/// The physical cores that these logical CPUs are hardware threads of, each by the number of its first CPU;
/// ascending.
std::vector<int> cores_of(const std::vector<int>& cpus);
/// Physical cores for this rank to compute on: those it is bound to, shared out among the ranks of its node
/// that are bound to the same. At least 1. Collective.
int cores_of_this_rank(const Communicator& comm);
/// Threads of a rank whose job does not say: OMP_NUM_THREADS where it is set, else one for each of its cores.
/// Collective.
int default_threads(const Communicator& comm);

}  // namespace whorl::mpi
