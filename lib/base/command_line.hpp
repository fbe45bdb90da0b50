// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <boost/program_options.hpp>
#include <string>

namespace whorl {

/// The command line by `description`, stored and notified; flags are written out in full. `positions` names
/// the option that arguments without a flag belong to; where there is none, `hint` says how to give them,
/// such as "inputs are given as --input PATH". Throws UsageError, for an unknown flag with the nearest known.
boost::program_options::variables_map parse_command_line(
    int argc, char** argv, const boost::program_options::options_description& description,
    const std::string& hint, const boost::program_options::positional_options_description& positions = {});

}  // namespace whorl
