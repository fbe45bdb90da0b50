// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "mpi/communicator.hpp"

namespace whorl::train {

/// Throws CollectiveError naming the ranks and hosts whose `value` differs from that of most ranks. `what` is
/// its name for the message. Collective.
void require_same_everywhere(const mpi::Communicator& comm, const std::string& what,
                             const std::string& value);

}  // namespace whorl::train
