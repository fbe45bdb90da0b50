// SPDX-License-Identifier: BSD-3-Clause
#include "input.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/file_system.hpp"
#include "support/temporary_folder.hpp"

/// HDF5 1.10 forgets memory where it refuses a damaged file; what whorl itself leaks is still found.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libhdf5\n";
}

namespace whorl::fuzz {

void must_hold(bool condition, std::string_view what) {
  if (condition) return;
  fmt::print(stderr, "does not hold: {}\n", what);
  std::abort();
}

TemporaryFile::TemporaryFile(std::string_view bytes) {
  static const test::TemporaryFolder folder;
  static int number = 0;
  path_ = folder / std::to_string(++number);
  create_empty_file(path_);
  append_to_file(path_, bytes);
}

TemporaryFile::TemporaryFile(std::span<const std::uint8_t> bytes)
    : TemporaryFile(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())) {}

TemporaryFile::~TemporaryFile() {
  std::remove(path_.c_str());
}

std::vector<std::string> cut(std::span<const std::uint8_t> bytes, std::size_t count) {
  std::vector<std::string> texts;
  for (; texts.size() + 1 < count; bytes = bytes.subspan(std::min(texts.back().size() + 1, bytes.size())))
    texts.emplace_back(bytes.begin(), std::ranges::find(bytes, 0x1e));
  texts.emplace_back(bytes.begin(), bytes.end());
  return texts;
}

}  // namespace whorl::fuzz
