// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataset/schema.hpp"
#include "ingest/listing.hpp"

namespace whorl::ingest {

/// A file in a class folder.
struct Candidate {
  std::size_t entry = 0;  ///< index into the listing
  std::string name;       ///< path below the folders that all pictures share
  std::string class_name;
  std::optional<dataset::Split> split;  ///< where the folders say it
};

struct ClassFolders {
  std::vector<Candidate> candidates;
  std::int64_t hidden = 0;   ///< files with a part of their path beginning with '.'
  std::int64_t outside = 0;  ///< files that lie in no class folder
};

/// Reads classes and split off the paths: below the only folder of each level come either class folders, or
/// split folders (train with test, val, valid or validation, all of which mean test) with class folders in
/// them. Every file below a class folder that is not hidden is a candidate.
ClassFolders find_class_folders(const std::vector<Entry>& entries);

/// Whether a part of the path begins with '.'.
bool is_hidden(const std::string& path);

}  // namespace whorl::ingest
