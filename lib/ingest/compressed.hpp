// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>

#include "ingest/input_file.hpp"

namespace whorl::ingest {

/// Whether the file begins like gzip, bzip2, xz or zstd data.
bool is_compressed(const InputFile& file);

/// Writes the decompressed content of `file` to the new file `target`, showing progress on stderr. Throws for
/// damaged or truncated data and when `target` cannot be written.
void decompress(const InputFile& file, const std::filesystem::path& target);

}  // namespace whorl::ingest
