// SPDX-License-Identifier: BSD-3-Clause
// Stands in for libFuzzer where it is missing: gives a target every file of the folders named, and ends as
// soon as one is not taken.
#include <fmt/core.h>

#include <cstdio>
#include <exception>
#include <filesystem>

#include "base/file_system.hpp"
#include "input.hpp"

namespace fs = std::filesystem;

namespace {

int replay(const fs::path& folder) {
  int count = 0;
  if (!fs::exists(folder)) return count;  // a target has generated seeds, a corpus, or both
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string bytes = whorl::read_text_file(entry.path());
    fmt::print(stderr, "{}: {} bytes\n", entry.path().string(), bytes.size());
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++count;
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    int count = 0;
    for (int i = 1; i < argc; ++i) count += replay(argv[i]);
    whorl::fuzz::must_hold(count > 0, "there are inputs");
    fmt::print("{} inputs taken or refused\n", count);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "not refused as it should be: {}\n", whorl::describe(error));
    return 1;
  }
}
