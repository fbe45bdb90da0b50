// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "dataset/warm_mapping.hpp"

namespace whorl::dataset {

/// A regular file that is read at any offset, by several threads at once, and that nobody may change
/// meanwhile. Errors name the file.
class StableFile {
 public:
  explicit StableFile(const std::filesystem::path& path);
  /// From now on, what has been read once is copied out of a mapping: four times faster for a few kilobytes
  /// (see bench/results/reading). Does nothing for files larger than half of the memory, which the page cache
  /// would not keep.
  void map_what_was_read();

  const std::string& path() const { return path_; }
  /// Bytes, when it was opened.
  std::int64_t size() const { return opened_.st_size; }
  int descriptor() const { return file_.get(); }
  /// Fills `out` from `offset` on; throws if the file ends before. `what` is read, for the message.
  void read(std::int64_t offset, std::span<std::byte> out, std::string_view what) const;
  /// Asks the kernel to have these bytes in its page cache soon; returns before they are.
  void will_need(std::int64_t offset, std::int64_t count) const;
  /// Throws if the file's size or time of modification is no longer what it was when opened. One system call.
  void require_unchanged() const;

 private:
  std::string path_;
  Descriptor file_;
  struct stat opened_ {};
  std::unique_ptr<WarmMapping> mapping_;
};

}  // namespace whorl::dataset
