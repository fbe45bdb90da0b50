// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "train/evaluate.hpp"

namespace whorl::report {

/// Top-1, loss, accuracy per class and, up to 25 classes, the confusion matrix, for people.
std::string evaluation_text(const train::Evaluation& evaluation, const std::vector<std::string>& class_names);
/// The same for programs: {"top1", "loss", "samples", "classes": [{"name", "samples", "correct"}],
/// "confusion": [[...]]}.
std::string evaluation_json(const train::Evaluation& evaluation, const std::vector<std::string>& class_names);

}  // namespace whorl::report
