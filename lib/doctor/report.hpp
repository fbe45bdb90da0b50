// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "doctor/finding.hpp"
#include "doctor/layout.hpp"

namespace whorl::doctor {

/// "4 ranks on 2 nodes (n1, n2)", hosts up to some.
std::string heading(const Layout& layout);
/// The lines of a check in the table: level, name, text, and below it the remedy.
std::string table_rows(const Check& check);
/// "9 ok, 2 warnings, no failure, in 3.1 s".
std::string summary(const std::vector<Check>& checks, double seconds);
/// Everything, with every figure.
nlohmann::json record(const Layout& layout, const std::vector<Check>& checks, double seconds);

}  // namespace whorl::doctor
