// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/writeback.hpp"

#include <fcntl.h>

namespace whorl::ingest {

Writeback::Writeback(const std::string& path)
    : file_(::open(path.c_str(), O_WRONLY | O_CLOEXEC)),
      thread_([this](const std::stop_token& stopped) { run(stopped); }) {}

Writeback::~Writeback() {
  thread_.request_stop();
  due_.release();
}

void Writeback::wrote(std::int64_t count) {
  waiting_ += count;
  if (waiting_ < step) return;
  waiting_ = 0;
  due_.release();
}

void Writeback::run(const std::stop_token& stopped) {
  for (due_.acquire(); !stopped.stop_requested(); due_.acquire()) {
#ifdef SYNC_FILE_RANGE_WRITE
    static_cast<void>(
        ::sync_file_range(file_.get(), 0, 0, SYNC_FILE_RANGE_WRITE));  // from 0 to the end: all of it
#endif
  }
}

}  // namespace whorl::ingest
