// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "readbench/configuration.hpp"

struct Options {
  whorl::readbench::Study study;
  std::filesystem::path output;         ///< folder of the records; empty: only the terminal
  std::filesystem::path prepare, from;  ///< to make every form of `from` in the new folder `prepare`
};

/// What --help prints.
std::string help_text();

/// The command line; nothing if it asks for help. Throws UsageError for anything unknown, missing or out of
/// range.
std::optional<Options> parse_options(int argc, char** argv);
