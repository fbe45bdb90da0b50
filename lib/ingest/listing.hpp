// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace whorl::ingest {

/// A regular file in a folder tree or an archive.
struct Entry {
  std::string path;         ///< within the container, parts separated by '/', without "." and ".."
  std::int64_t offset = 0;  ///< bytes from the start of the archive; 0 in a folder tree
  std::int64_t size = 0;    ///< bytes
};

/// What a container holds.
struct Listing {
  std::string location;  ///< the folder, or the archive's file
  bool archive = false;
  std::vector<Entry> entries;
  std::vector<std::string> notes;  ///< what was passed over, and why, for the log

  /// The file on disk that holds the entry.
  std::string file_of(const Entry& entry) const { return archive ? location : location + "/" + entry.path; }
};

}  // namespace whorl::ingest
