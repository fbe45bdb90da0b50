// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <semaphore>
#include <string>
#include <thread>

#include "ingest/input_file.hpp"

namespace whorl::ingest {

/// Lets the system put written parts of a file on the disk while the job goes on, so that the fsync at the
/// end has little left to wait for (on Linux; elsewhere it does nothing). Asking for it blocks while the
/// disk's queue is full, up to half a second in one ingest of 400 MB, so a thread of its own does. Only a
/// hint: failures are ignored.
class Writeback {
 public:
  explicit Writeback(const std::string& path);
  ~Writeback();
  Writeback(const Writeback&) = delete;
  Writeback& operator=(const Writeback&) = delete;

  /// `count` more bytes have been written, anywhere in the file.
  void wrote(std::int64_t count);

 private:
  // Few large requests: each looks through all of the file's pages.
  static constexpr std::int64_t step = std::int64_t{32} << 20;

  void run(const std::stop_token& stopped);

  Descriptor file_;
  std::int64_t waiting_ = 0;  // bytes
  std::counting_semaphore<> due_{0};
  std::jthread thread_;
};

}  // namespace whorl::ingest
