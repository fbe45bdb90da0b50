// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <unistd.h>

#include <cstdint>
#include <span>
#include <string>

#include "base/unique_handle.hpp"

namespace whorl::ingest {

struct DescriptorTraits {
  static int invalid() { return -1; }
  static void release(int descriptor) noexcept { ::close(descriptor); }
};
using Descriptor = UniqueHandle<int, DescriptorTraits>;

/// A regular file that this process alone reads. Errors name the file.
class InputFile {
 public:
  explicit InputFile(std::string path);

  const std::string& path() const { return path_; }
  /// Bytes, when it was opened.
  std::int64_t size() const { return size_; }
  /// Reads until `out` is full or the file ends; returns the bytes read.
  std::size_t read_some(std::int64_t offset, std::span<std::uint8_t> out) const;
  /// Throws if the file ends before `out` is full.
  void read(std::int64_t offset, std::span<std::uint8_t> out) const;

 private:
  std::string path_;
  Descriptor file_;
  std::int64_t size_ = 0;
};

}  // namespace whorl::ingest
