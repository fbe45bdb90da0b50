// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <string>

namespace whorl::report_app {

/// A figure of whorl-readbench without its first two lines, which say on what and where to draw. gnuplot runs
/// whatever a script says, programs included: throws Error for one that says more than a figure of
/// whorl-readbench can.
std::string read_figure_script(const std::filesystem::path& file);

}  // namespace whorl::report_app
