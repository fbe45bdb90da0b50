// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fmt/core.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.hpp"

namespace whorl::report {

/// The records of runs are shallow; a hostile one could nest until the stack is used up.
inline constexpr int most_json_levels = 32;

/// The JSON that `text` is; throws Error naming `source` for what is none, or nested deeper than
/// most_json_levels.
nlohmann::ordered_json parse_json(const std::string& text, const std::string& source);

/// The JSON in `file`, likewise.
nlohmann::ordered_json read_json(const std::filesystem::path& file);

/// Runs `body`, which looks into the records of `folder`; what is missing there, or of another type, becomes
/// an Error that names the folder. (Looking into a const JSON by [] is undefined where there is no such key:
/// use at().)
template <typename Body>
void look_into_records(const std::filesystem::path& folder, const Body& body) {
  try {
    body();
  } catch (const nlohmann::json::exception& error) {
    throw Error("the records in {} are not those of a run of this version, or damaged: {}", folder.string(),
                error.what());
  }
}

}  // namespace whorl::report
