// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <vector>

#include "collective/node_memory.hpp"

namespace whorl::collective {

/// The memory of `size` ranks that are threads of this process, by rank: each is used by one thread.
std::vector<std::unique_ptr<NodeMemory>> make_loopback_node(int size);

}  // namespace whorl::collective
