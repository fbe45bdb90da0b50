// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>

namespace whorl::inspect {

/// Prints every dataset of the HDF5 file with type, shape and size, and the attributes of its root group.
void print_schema(const std::filesystem::path& path);

}  // namespace whorl::inspect
