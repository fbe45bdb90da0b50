// SPDX-License-Identifier: BSD-3-Clause
#include "base/file_system.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <random>
#include <utility>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/progress.hpp"

namespace whorl {

namespace {

constexpr std::string_view draft_prefix = ".draft-";

[[noreturn]] void fail(const char* action, const std::filesystem::path& path) {
  const int error_number = errno;
  throw Error("cannot {} {}: {}", action, path.string(), system_error_text(error_number));
}

Descriptor open_or_fail(const std::filesystem::path& path, int flags, const char* action) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC, 0666));
  if (!file) fail(action, path);
  return file;
}

Descriptor open_regular(const std::filesystem::path& path) {
  // A FIFO in the file's place must not block the job.
  Descriptor file = open_or_fail(path, O_RDONLY | O_NONBLOCK, "open");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail("inspect", path);
  require(!S_ISDIR(status.st_mode), "cannot open {}: {}", path.string(), system_error_text(EISDIR));
  require(S_ISREG(status.st_mode), "cannot read {}: not a regular file", path.string());
  return file;
}

std::string read_all(const Descriptor& file, const std::filesystem::path& path, std::size_t most) {
  std::string text;
  char block[1 << 16];
  for (;;) {
    const ssize_t got = ::read(file.get(), block, sizeof block);
    if (got == 0) return text;
    if (got < 0 && errno != EINTR) fail("read", path);
    if (got > 0) text.append(block, static_cast<std::size_t>(got));
    require(text.size() <= most, "cannot read {}: it is longer than {}", path.string(),
            format_bytes(static_cast<double>(most)));
  }
}

void sync(const std::filesystem::path& path, int flags) {
  const Descriptor file = open_or_fail(path, flags, "open");
  if (::fsync(file.get()) != 0) fail("sync", path);
}

void write_all(const Descriptor& file, const std::filesystem::path& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno != EINTR) fail("write", path);
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void rename_and_sync_folder(const std::filesystem::path& from, const std::filesystem::path& to,
                            IfThere if_there) {
  const unsigned flags = if_there == IfThere::refuse ? RENAME_NOREPLACE : 0;
  int failed = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags);
  // Not every file system can refuse by itself.
  if (failed != 0 && errno == EINVAL && !std::filesystem::exists(to))
    failed = std::rename(from.c_str(), to.c_str());
  if (failed != 0) fail("rename to", to);
  sync(to.has_parent_path() ? to.parent_path() : ".", O_RDONLY | O_DIRECTORY);
}

}  // namespace

void require_readable(const std::filesystem::path& path) {
  open_regular(path);
}

void create_empty_file(const std::filesystem::path& path) {
  open_or_fail(path, O_WRONLY | O_CREAT | O_TRUNC, "create");
}

void reserve_space(const std::filesystem::path& path, std::int64_t offset, std::int64_t count) {
  const Descriptor file = open_or_fail(path, O_RDWR, "open");
  struct stat before {};
  if (::fstat(file.get(), &before) != 0) fail("inspect", path);
  if (count == 0 || ::fallocate(file.get(), 0, offset, count) == 0) return;
  const int error_number = errno;
  if (error_number != ENOSPC && error_number != EDQUOT && error_number != EFBIG) return;
  // Some file systems keep what they could allocate; give it back.
  if (::ftruncate(file.get(), before.st_size) != 0) fail("shorten", path);
  throw Error("cannot reserve {} for {}: {}", format_bytes(static_cast<double>(count)), path.string(),
              system_error_text(error_number));
}

std::string disk_full_note(const std::filesystem::path& path) {
  struct statvfs status {};
  const bool full = ::statvfs(path.c_str(), &status) == 0 && status.f_blocks > 0 && status.f_bavail == 0;
  return full ? " (" + system_error_text(ENOSPC) + ")" : "";
}

Draft::Draft(std::filesystem::path target)
    : target_(std::move(target)),
      path_(target_.parent_path() /
            fmt::format("{}{:08x}-{}", draft_prefix, std::random_device()(), target_.filename().string())) {
  const Descriptor file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file) fail("create", target_);
}

Draft::~Draft() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void Draft::publish() {
  publish_file(path_, target_);
  path_.clear();
}

bool is_draft(const std::filesystem::path& path) {
  return path.filename().string().starts_with(draft_prefix);
}

void remove_drafts(const std::filesystem::path& folder) {
  for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(folder)) {
    if (is_draft(entry.path())) std::filesystem::remove(entry.path());
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  Draft draft(path);
  write_all(open_or_fail(draft.path(), O_WRONLY, "open"), path, text);
  draft.publish();
}

void append_to_file(const std::filesystem::path& path, std::string_view text) {
  write_all(open_or_fail(path, O_WRONLY | O_APPEND, "open"), path, text);
}

void sync_file(const std::filesystem::path& path) {
  sync(path, O_RDONLY);
}

void publish_file(const std::filesystem::path& from, const std::filesystem::path& to, IfThere if_there) {
  sync(from, O_RDONLY);
  rename_and_sync_folder(from, to, if_there);
}

void write_at(const std::filesystem::path& path, std::int64_t offset, std::span<const std::byte> bytes) {
  const Descriptor file = open_or_fail(path, O_WRONLY, "open");
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file.get(), bytes.data(), bytes.size(), offset);
    if (written < 0 && errno != EINTR) fail("write", path);
    if (written <= 0) continue;
    offset += written;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

std::string read_text_file(const std::filesystem::path& path) {
  return read_all(open_regular(path), path, SIZE_MAX);
}

std::string read_text_input(const std::filesystem::path& path) {
  constexpr std::size_t most = 16'000'000;
  return read_all(open_or_fail(path, O_RDONLY, "open"), path, most);
}

}  // namespace whorl
