// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "document.hpp"
#include "plot.hpp"
#include "study_section.hpp"

namespace whorl::report_app {

/// The exposed communication of the trainings that several studies have in common, such as one study over
/// different networks, and in words whether it grows as the links between nodes slow. Nothing for one study.
void add_comparison(Document& document, Plotter& plotter, const std::vector<StudyRun>& runs);

}  // namespace whorl::report_app
