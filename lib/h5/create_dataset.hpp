// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "h5/file.hpp"

namespace whorl::h5 {

/// A new contiguous dataset with elements of `type`, allocated and not filled, its disk space reserved,
/// without time stamps; missing parent groups are created. Collective for parallel files.
DatasetId create_dataset(const File& file, const std::string& name, hid_t type,
                         const std::vector<hsize_t>& shape);

/// Throws unless the file holds all elements that the dataset claims to have: a few bytes of a damaged file
/// could claim any number, and memory for them. Reads the index of a chunked dataset as a whole. `what` is
/// name and file, for the message.
void require_stored(const File& file, const DatasetId& dataset, const std::string& what);

}  // namespace whorl::h5
