// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

/// What a fuzz target defines: whatever the bytes, it returns 0. A crash, a finding of a sanitizer, an
/// exception, a leak, a hang or an allocation above the limit is a bug.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace whorl::fuzz {

/// Runs `body`. Refusing the input, with a whorl::Error, is right; any other exception is a bug and goes on
/// up.
template <typename Body>
void refuse_or_take(const Body& body) {
  try {
    body();
  } catch (const Error&) {
  }
}

/// Stops with a message, as a crash, when what must hold for every input does not.
void must_hold(bool condition, std::string_view what);

/// A file that code under test opens by its path; it goes away with the object. (HDF5 does not open files in
/// memory that have no name.)
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view bytes);
  explicit TemporaryFile(std::span<const std::uint8_t> bytes);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Several texts out of one input, cut at the bytes 0x1e (ASCII's record separator); `count` of them, the
/// last ones empty where the input has fewer.
std::vector<std::string> cut(std::span<const std::uint8_t> bytes, std::size_t count);

}  // namespace whorl::fuzz
