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

}  // namespace whorl::h5
