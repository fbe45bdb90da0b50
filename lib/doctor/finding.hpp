// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace whorl::doctor {

/// `warn`: the job runs, but likely slower than it could. `fail`: it would not run, give wrong results, or
/// waste what it asked for.
enum class Level { ok, warn, fail };

std::string to_string(Level level);

/// One judgement, in words.
struct Finding {
  Level level = Level::ok;
  std::string text;
  std::string remedy;  ///< what to do; empty when ok
};

/// What was looked at, what was found, and every figure behind it.
struct Check {
  std::string name;
  std::vector<Finding> findings;
  nlohmann::json figures;

  Level level() const;
};

Level worst(const std::vector<Check>& checks);

}  // namespace whorl::doctor
