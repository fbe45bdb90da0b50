// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>

#include "dataset/reader.hpp"

namespace whorl::inspect {

/// Writes a contact sheet as JPEG: of every class pictures spread evenly over the split, always the same
/// ones. Returns how many.
int write_sheet(const dataset::Reader& reader, dataset::Split split, const std::filesystem::path& path);

}  // namespace whorl::inspect
