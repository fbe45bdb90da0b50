// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mpi/communicator.hpp"

namespace whorl::report {

/// Name and version of whorl, its compiler and the libraries it runs with.
std::vector<std::pair<std::string, std::string>> versions();

/// Where a rank runs.
struct RankPlace {
  std::string host;
  std::string cpus;  ///< logical CPUs it is bound to: "0-3,8"
};
/// By rank. Collective.
std::vector<RankPlace> rank_places(const mpi::Communicator& comm);

/// "2025-01-31T12:00:00Z".
std::string utc_now();

}  // namespace whorl::report
