// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/finding.hpp"

#include <algorithm>

namespace whorl::doctor {

std::string to_string(Level level) {
  return level == Level::ok ? "ok" : level == Level::warn ? "warn" : "fail";
}

Level Check::level() const {
  Level most = Level::ok;
  for (const Finding& finding : findings) most = std::max(most, finding.level);
  return most;
}

Level worst(const std::vector<Check>& checks) {
  Level most = Level::ok;
  for (const Check& check : checks) most = std::max(most, check.level());
  return most;
}

}  // namespace whorl::doctor
