// SPDX-License-Identifier: BSD-3-Clause
#include "checkpoint/folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string_view>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "h5/seal.hpp"

namespace whorl::checkpoint {

namespace {

namespace fs = std::filesystem;

void set_aside(const fs::path& path) {
  fs::path aside = path;
  fs::rename(path, aside += ".damaged");
}

/// Of a name that path_for() made; 0 of others.
std::int64_t step_of(const fs::path& path) {
  return std::strtoll(path.filename().c_str() + std::string_view("step-").size(), nullptr, 10);
}

}  // namespace

fs::path folder_of(const fs::path& run_folder) {
  return run_folder / "checkpoints";
}

fs::path path_for(const fs::path& folder, std::int64_t step) {
  return folder / fmt::format("step-{:09}.h5", step);
}

std::vector<fs::path> list(const fs::path& folder) {
  std::vector<fs::path> paths;
  if (!fs::exists(folder)) return paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-") && name.ends_with(".h5")) paths.push_back(entry.path());
  }
  std::ranges::sort(paths, std::greater(), step_of);
  return paths;
}

void keep_newest(const fs::path& folder, int count) {
  const std::vector<fs::path> paths = list(folder);
  for (std::size_t i = static_cast<std::size_t>(count); i < paths.size(); ++i) fs::remove(paths[i]);
}

std::optional<Newest> take_newest(const fs::path& folder) {
  if (fs::exists(folder)) remove_drafts(folder);
  const std::vector<fs::path> paths = list(folder);
  if (paths.empty()) return std::nullopt;
  std::vector<std::string> damaged;
  for (const fs::path& path : paths) {
    try {
      Checkpoint checkpoint = load(path);
      for (std::size_t i = 0; i < damaged.size(); ++i) set_aside(paths[i]);
      return Newest{path, std::move(checkpoint), damaged};
    } catch (const h5::Damaged& error) {
      damaged.push_back(describe(error));
    }
  }
  throw Error(
      "none of the {} checkpoints in {} can be read; remove that folder to start from the beginning: {}",
      paths.size(), folder.string(), fmt::join(damaged, "; "));
}

}  // namespace whorl::checkpoint
