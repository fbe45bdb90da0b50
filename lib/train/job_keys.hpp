// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "train/job.hpp"

namespace whorl::train {

/// One key of job files: how it is called, what it means, and the field it sets.
struct JobKey {
  std::string name;  ///< "section.key"
  std::string description;
  std::vector<std::string> choices;  ///< empty: any value of the field's type
  std::function<std::string(const Job&)> print;
  /// Returns what a right value looks like ("a number") when `text` is none, else nothing.
  std::function<std::string(Job&, const std::string& text)> parse;
};

/// All keys, in the order of resolved_text().
const std::vector<JobKey>& job_keys();

}  // namespace whorl::train
