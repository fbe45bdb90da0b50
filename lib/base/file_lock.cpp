// SPDX-License-Identifier: BSD-3-Clause
#include "base/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/error.hpp"

namespace whorl {

namespace {

Descriptor open_lock(const std::filesystem::path& path, int flags) {
  return Descriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC | flags, 0666));
}

enum class Answer { granted, refused, no_locks };

Answer ask_for_lock(const Descriptor& file, std::chrono::seconds wait) {
  const auto end = std::chrono::steady_clock::now() + wait;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return Answer::no_locks;
    if (std::chrono::steady_clock::now() >= end) return Answer::refused;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return Answer::granted;
}

/// Whoever held it may have removed it between our opening and locking.
bool is_still_there(const std::filesystem::path& path, const Descriptor& file) {
  struct stat named {
  }, opened{};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(file.get(), &opened) == 0 &&
         named.st_ino == opened.st_ino;
}

}  // namespace

std::unique_ptr<FileLock> FileLock::take(const std::filesystem::path& path, std::chrono::seconds wait) {
  while (true) {
    Descriptor file = open_lock(path, O_CREAT);
    require(bool(file), "cannot create {}: {}", path.string(), system_error_text(errno));
    const Answer answer = ask_for_lock(file, wait);
    if (answer == Answer::refused) return nullptr;
    if (is_still_there(path, file))
      return std::unique_ptr<FileLock>(new FileLock(path, std::move(file), answer == Answer::granted));
  }
}

FileLock::~FileLock() {
  if (is_granted_) ::unlink(path_.c_str());  // while it is held, so that nobody else's is removed
}

bool FileLock::is_held(const std::filesystem::path& path, std::chrono::seconds wait) {
  const Descriptor file = open_lock(path, 0);
  return file && ask_for_lock(file, wait) == Answer::refused;
}

}  // namespace whorl
