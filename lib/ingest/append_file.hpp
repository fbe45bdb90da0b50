// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "ingest/input_file.hpp"

namespace whorl::ingest {

/// A new file that one process writes from front to back. Errors name the file.
class AppendFile {
 public:
  /// Throws if there is a file of that name.
  explicit AppendFile(std::string path);
  /// Returns the offset of the bytes. They are the system's when it returns: they outlive this process.
  std::int64_t append(std::span<const std::byte> bytes);
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Descriptor file_;
  std::int64_t end_ = 0;
};

}  // namespace whorl::ingest
