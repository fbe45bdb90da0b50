// SPDX-License-Identifier: BSD-3-Clause
#include "report/json.hpp"

#include "base/file_system.hpp"

namespace whorl::report {

nlohmann::ordered_json read_json(const std::filesystem::path& file) {
  using Json = nlohmann::ordered_json;
  const auto check_depth = [&](int depth, Json::parse_event_t, const Json&) {
    require(depth <= most_json_levels, "{} is nested deeper than the limit of {} levels", file.string(),
            most_json_levels);
    return true;
  };
  try {
    return Json::parse(read_text_file(file), check_depth);
  } catch (const Json::exception& error) {
    throw Error("{} is damaged, or no record of a run: {}", file.string(), error.what());
  }
}

}  // namespace whorl::report
