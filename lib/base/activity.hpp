// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

namespace whorl {

/// What this process is doing now, for those who want to know why it does not go on: text that lives for
/// ever, and the step, where that says something. Costs two stores.
void set_activity(const char* what, std::int64_t step = -1);

/// "all-reduce, step 12"; from any thread.
std::string activity();

}  // namespace whorl
