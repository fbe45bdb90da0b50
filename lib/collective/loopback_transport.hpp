// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <vector>

#include "collective/transport.hpp"

namespace whorl::collective {

/// Transports of `size` ranks that are threads of this process, by rank: each is used by one thread. They
/// exchange messages through memory that they share, so algorithms can be tested without a launcher.
std::vector<std::unique_ptr<Transport>> make_loopback_transports(int size);

}  // namespace whorl::collective
