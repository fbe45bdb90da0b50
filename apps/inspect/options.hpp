// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <string>

#include "dataset/schema.hpp"

namespace whorl::inspect {

struct Options {
  std::filesystem::path file;
  std::filesystem::path sheet;  ///< empty: none
  dataset::Split split = dataset::Split::train;
  int rows = 5;
  bool all_rejects = false;
  bool verify = false;
  std::string help;  ///< not empty: print it and do nothing else
};

/// Throws UsageError.
Options parse_options(int argc, char** argv);

}  // namespace whorl::inspect
