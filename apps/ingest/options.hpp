// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>

#include "ingest/ingest.hpp"

/// What --help prints.
std::string help_text();

/// The command line; nothing if it asks for help. Throws UsageError for anything unknown, missing or out of
/// range.
std::optional<whorl::ingest::Options> parse_options(int argc, char** argv);
