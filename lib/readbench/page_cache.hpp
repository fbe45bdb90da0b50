// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace whorl::readbench {

/// How much of some files this node's page cache holds, by mincore.
struct Residency {
  std::int64_t resident = 0, total = 0;  ///< bytes, of whole pages
  double fraction() const {
    return total == 0 ? 0 : static_cast<double>(resident) / static_cast<double>(total);
  }
};
Residency residency(std::span<const std::string> files);

/// Drops the files from the page cache (posix_fadvise), as far as the kernel does it: not what is dirty or
/// mapped.
void drop_from_cache(std::span<const std::string> files);

/// Bytes of memory that programs can still have (MemAvailable).
std::int64_t available_memory();

}  // namespace whorl::readbench
