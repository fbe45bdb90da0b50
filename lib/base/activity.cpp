// SPDX-License-Identifier: BSD-3-Clause
#include "base/activity.hpp"

#include <fmt/format.h>

#include <atomic>

namespace whorl {

namespace {

std::atomic<const char*> current_activity = "set-up";
std::atomic<std::int64_t> current_step = -1;

}  // namespace

void set_activity(const char* what, std::int64_t step) {
  current_activity.store(what, std::memory_order_relaxed);
  current_step.store(step, std::memory_order_relaxed);
}

std::string activity() {
  const char* what = current_activity.load(std::memory_order_relaxed);
  const std::int64_t step = current_step.load(std::memory_order_relaxed);
  return step < 0 ? what : fmt::format("{}, step {}", what, step);
}

}  // namespace whorl
