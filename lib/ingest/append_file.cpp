// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/append_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "base/error.hpp"

namespace whorl::ingest {

AppendFile::AppendFile(std::string path)
    : path_(std::move(path)), file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) {
  require(bool(file_), "cannot create {}: {}", path_, system_error_text(errno));
}

std::int64_t AppendFile::append(std::span<const std::byte> bytes) {
  const std::int64_t offset = end_;
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    require(written >= 0 || errno == EINTR, "cannot write {}: {}", path_, system_error_text(errno));
    if (written <= 0) continue;
    end_ += written;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return offset;
}

}  // namespace whorl::ingest
