// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "ingest/input_file.hpp"

namespace whorl::ingest {

/// Lets the system start to put written parts of a file on the disk while the job goes on, so that the fsync
/// at the end has little left to wait for (on Linux; elsewhere it does nothing). Only a hint: failures are
/// ignored.
class Writeback {
 public:
  explicit Writeback(const std::string& path);
  /// Bytes [offset, offset + count) have been written.
  void start(std::int64_t offset, std::int64_t count) const;

 private:
  Descriptor file_;
};

}  // namespace whorl::ingest
