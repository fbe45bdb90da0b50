// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "ingest/listing.hpp"

namespace whorl::ingest {

/// All regular files below `folder`, hidden ones included, sorted by path. Symbolic links are followed when
/// they stay inside the tree, each linked folder once; others, and devices, FIFOs and sockets, are noted.
/// Throws for a folder that cannot be read.
Listing list_folder(const std::string& folder);

}  // namespace whorl::ingest
