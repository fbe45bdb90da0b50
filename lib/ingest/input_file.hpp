// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace whorl::ingest {

/// What is wrong is this file: it is not there, not readable for this user, no regular file, or too short.
class BadFile : public Error {
 public:
  using Error::Error;
};

/// A regular file that this process alone reads. Errors name the file; those that are not of the file but of
/// the machine or the disk are no BadFile.
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
