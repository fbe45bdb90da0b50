// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.hpp"

// The checkpoints of a run lie in its folder checkpoints/: step-000001234.h5. One process uses it at a time.
namespace whorl::checkpoint {

/// checkpoints/ of a run folder.
std::filesystem::path folder_of(const std::filesystem::path& run_folder);
std::filesystem::path path_for(const std::filesystem::path& folder, std::int64_t step);

/// Its checkpoints, the newest first; none where there is no folder.
std::vector<std::filesystem::path> list(const std::filesystem::path& folder);

/// Removes all but the newest `count`.
void keep_newest(const std::filesystem::path& folder, int count);

struct Newest {
  std::filesystem::path path;
  Checkpoint checkpoint;
  std::vector<std::string> damaged;  ///< what is wrong with newer ones
};
/// The newest that is not damaged. Newer ones are renamed to *.damaged, drafts of killed runs removed.
/// Nothing without checkpoints; throws where there are some and all are damaged, or where one cannot be read
/// for another reason: training must not be lost to a disk that is away for a while.
std::optional<Newest> take_newest(const std::filesystem::path& folder);

}  // namespace whorl::checkpoint
