// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/stable_file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"

namespace whorl::dataset {

// O_NONBLOCK: a FIFO in the file's place must not block the job; it has no effect on regular files.
StableFile::StableFile(const std::filesystem::path& path)
    : path_(path.string()), file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  require(static_cast<bool>(file_), "cannot open {}: {}", path_, system_error_text(errno));
  const int code = ::fstat(file_.get(), &opened_);
  require(code == 0, "cannot inspect {}: {}", path_, system_error_text(errno));
  require(S_ISREG(opened_.st_mode), "cannot read {}: not a regular file", path_);
}

void StableFile::map_what_was_read() {
  const std::int64_t memory = std::int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
  if (size() <= memory / 2) mapping_ = WarmMapping::create(descriptor(), size());
}

void StableFile::read(std::int64_t offset, std::span<std::byte> out, std::string_view what) const {
  if (mapping_ && mapping_->copy(offset, out)) return;
  const std::int64_t first = offset, count = std::ssize(out);
  while (!out.empty()) {
    const ssize_t got = ::pread(file_.get(), out.data(), out.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    require(got >= 0, "cannot read {} in {}: {}", what, path_, system_error_text(errno));
    require(got > 0,
            "cannot read {} in {}: the file ends at byte {}, it is truncated or has become shorter while it "
            "was open",
            what, path_, offset);
    out = out.subspan(static_cast<std::size_t>(got));
    offset += got;
  }
  if (mapping_) mapping_->mark(first, count);
}

// Linux reads no more than the device's readahead size at one such request, hence the small steps.
void StableFile::will_need(std::int64_t offset, std::int64_t count) const {
  constexpr std::int64_t step = 128 << 10;
  for (const std::int64_t end = offset + count; offset < end; offset += step) {
    const int error = ::posix_fadvise(file_.get(), offset, std::min(step, end - offset), POSIX_FADV_WILLNEED);
    require(error == 0, "cannot read ahead in {}: {}", path_, system_error_text(error));
  }
}

void StableFile::require_unchanged() const {
  struct stat now {};
  const int code = ::fstat(file_.get(), &now);
  require(code == 0, "cannot inspect {}: {}", path_, system_error_text(errno));
  const bool same = now.st_size == opened_.st_size && now.st_mtim.tv_sec == opened_.st_mtim.tv_sec &&
                    now.st_mtim.tv_nsec == opened_.st_mtim.tv_nsec;
  require(same, "{} was changed while it was being read; let nobody write to it, then start again", path_);
}

}  // namespace whorl::dataset
