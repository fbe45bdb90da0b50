// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "ingest/input_file.hpp"

namespace whorl::ingest {

/// Lets the system put written parts of a file on the disk while the job goes on, so that the fsync at the
/// end has little left to wait for: 0.3 s of 3 s at 400 MB (on Linux; elsewhere it does nothing). Only a
/// hint: failures are ignored.
class Writeback {
 public:
  explicit Writeback(const std::string& path);
  /// `count` more bytes have been written, anywhere in the file.
  void wrote(std::int64_t count);

 private:
  // Few large requests: with one per picture the rank spends as much time on them as it saves at the end.
  static constexpr std::int64_t step = std::int64_t{64} << 20;
  Descriptor file_;
  std::int64_t waiting_ = 0;  // bytes
};

}  // namespace whorl::ingest
