// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>

#include "doctor/finding.hpp"
#include "doctor/layout.hpp"
#include "doctor/pairs.hpp"

namespace whorl::doctor {

/// Messages within nodes, or between them.
struct Links {
  PairTimes times;
  std::vector<std::vector<std::string>> carriers;    ///< by node: devices that carried the messages
  std::vector<std::vector<std::string>> rdma_ports;  ///< by node: those that are active
};

/// Damaged messages, a network where shared memory should be, a slow pair.
std::vector<Finding> judge_within(const Layout& layout, const Links& links);
/// Damaged messages, TCP where there is RDMA, a slow link, all of them slow.
std::vector<Finding> judge_between(const Layout& layout, const Links& links);
/// Wall clocks too far apart. `offsets`: by node.
std::vector<Finding> judge_wall_clocks(const Layout& layout, const std::vector<ClockOffset>& offsets);

/// The median link between two nodes, each by its first rank; nothing on one node. Collective.
std::optional<PairTime> link_between_nodes(const mpi::Communicator& comm, const Layout& layout);

/// All three are collective.
Check check_within_nodes(const mpi::Communicator& comm, const Layout& layout);
Check check_between_nodes(const mpi::Communicator& comm, const Layout& layout);
Check check_wall_clocks(const mpi::Communicator& comm, const Layout& layout);

}  // namespace whorl::doctor
