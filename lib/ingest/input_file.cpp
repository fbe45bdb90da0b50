// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/error.hpp"

namespace whorl::ingest {

namespace {

[[noreturn]] void fail_to_open(const std::string& path, int error_number) {
  const std::string message = fmt::format("cannot open {}: {}", path, system_error_text(error_number));
  for (const int of_file : {ENOENT, ENOTDIR, EACCES, EPERM, ELOOP, ENXIO, ENAMETOOLONG})
    if (error_number == of_file) throw BadFile(message);
  throw Error(message);
}

}  // namespace

// O_NONBLOCK: a FIFO that took the file's place must not block the job; it has no effect on regular files.
InputFile::InputFile(std::string path)
    : path_(std::move(path)), file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (!file_) fail_to_open(path_, errno);
  struct stat status {};
  const int code = ::fstat(file_.get(), &status);
  require(code == 0, "cannot inspect {}: {}", path_, system_error_text(errno));
  if (!S_ISREG(status.st_mode)) throw BadFile("cannot read {}: not a regular file", path_);
  size_ = status.st_size;
}

std::size_t InputFile::read_some(std::int64_t offset, std::span<std::uint8_t> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got =
        ::pread(file_.get(), out.data() + done, out.size() - done, offset + static_cast<std::int64_t>(done));
    if (got == 0) break;
    require(got > 0 || errno == EINTR, "cannot read {}: {}", path_, system_error_text(errno));
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  return done;
}

void InputFile::read(std::int64_t offset, std::span<std::uint8_t> out) const {
  const std::size_t got = read_some(offset, out);
  if (got != out.size())
    throw BadFile("{} ends at byte {}, but {} bytes were expected at {}", path_, offset + got, out.size(),
                  offset);
}

}  // namespace whorl::ingest
