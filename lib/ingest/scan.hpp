// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ingest/manifest.hpp"

namespace whorl::ingest {

struct ScanOptions {
  std::vector<std::filesystem::path>
      inputs;                  ///< folders, tars (compressed or not), CIFAR-10 batches; told apart by content
  double test_fraction = 0.2;  ///< of pictures whose source has no split of its own
  std::uint64_t seed = 0;
  std::filesystem::path scratch;  ///< what the names of temporary files begin with, see unpacked_tar() and
                                  ///< recoded_pixels(); there are none yet
};

struct Scan {
  Manifest manifest;
  std::vector<std::string> notes;  ///< what was passed over, and why
};

/// Lists all pictures of the inputs, in one process. Classes of one name are merged. Throws for inputs that
/// are missing, unreadable, damaged or without pictures. The temporary files that the manifest may refer to
/// are the caller's to remove.
Scan scan(const ScanOptions& options);

/// What a compressed archive, input number `input`, is unpacked to.
std::filesystem::path unpacked_tar(const std::filesystem::path& scratch, std::size_t input);
/// Pixels of all pickles that do not hold them verbatim.
std::filesystem::path recoded_pixels(const std::filesystem::path& scratch);

}  // namespace whorl::ingest
