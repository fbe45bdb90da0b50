// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "doctor/finding.hpp"
#include "doctor/layout.hpp"

namespace whorl::doctor {

/// The MPI library of a rank.
struct MpiLibrary {
  std::string version;               ///< what it says of itself
  std::string thread_level;          ///< that it granted: single, funneled, serialized, multiple
  std::vector<std::string> modules;  ///< of Open MPI for messages, as loaded: "pml ob1"; else none
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MpiLibrary, version, thread_level, modules)

MpiLibrary mpi_library_of_this_rank();

/// Ranks with different libraries.
std::vector<Finding> judge_mpi_library(const Layout& layout, const std::vector<MpiLibrary>& libraries);

/// Collective.
Check check_mpi_library(const mpi::Communicator& comm, const Layout& layout);

}  // namespace whorl::doctor
