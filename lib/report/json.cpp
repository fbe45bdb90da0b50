// SPDX-License-Identifier: BSD-3-Clause
#include "report/json.hpp"

#include "base/file_system.hpp"

namespace whorl::report {

nlohmann::ordered_json parse_json(const std::string& text, const std::string& source) {
  using Json = nlohmann::ordered_json;
  const auto check_depth = [&](int depth, Json::parse_event_t, const Json&) {
    require(depth <= most_json_levels, "{} is nested deeper than the limit of {} levels", source,
            most_json_levels);
    return true;
  };
  try {
    return Json::parse(text, check_depth);
  } catch (const Json::exception& error) {
    throw Error("{} is damaged, or no record of a run: {}", source, error.what());
  }
}

nlohmann::ordered_json read_json(const std::filesystem::path& file) {
  return parse_json(read_text_file(file), file.string());
}

}  // namespace whorl::report
