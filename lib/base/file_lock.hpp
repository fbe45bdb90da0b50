// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "base/descriptor.hpp"

namespace whorl {

/// An empty file that tells other processes, also of other nodes where the file system passes it on, that
/// this one is at work. The kernel lets go of it however this process ends, and the file goes with this
/// object. On file systems without locks nobody ever holds one, and the file stays.
class FileLock {
 public:
  /// The ranks of a job whose mpirun was killed need a moment to notice: before that, a lock is waited for.
  static constexpr std::chrono::seconds patience{10};

  /// Creates the file if need be; null where another process holds the lock, and goes on holding it. Throws
  /// if the file cannot be made.
  static std::unique_ptr<FileLock> take(const std::filesystem::path& path,
                                        std::chrono::seconds wait = patience);
  /// Whether another process goes on holding it; false where there is no such file.
  static bool is_held(const std::filesystem::path& path, std::chrono::seconds wait = patience);
  /// Whether the kernel granted it; false where the file system has no locks, so that another process may be
  /// at work all the same.
  bool is_granted() const { return is_granted_; }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  FileLock(std::filesystem::path path, Descriptor file, bool is_granted)
      : path_(std::move(path)), file_(std::move(file)), is_granted_(is_granted) {}
  std::filesystem::path path_;
  Descriptor file_;
  bool is_granted_;
};

}  // namespace whorl
