// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/writeback.hpp"

#include <fcntl.h>

namespace whorl::ingest {

Writeback::Writeback(const std::string& path) : file_(::open(path.c_str(), O_WRONLY | O_CLOEXEC)) {}

void Writeback::start(std::int64_t offset, std::int64_t count) const {
#ifdef SYNC_FILE_RANGE_WRITE
  if (file_ && count > 0)
    static_cast<void>(::sync_file_range(file_.get(), offset, count, SYNC_FILE_RANGE_WRITE));
#else
  static_cast<void>(offset + count);
#endif
}

}  // namespace whorl::ingest
