// SPDX-License-Identifier: BSD-3-Clause
#include "train/schedule.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace whorl::train {

namespace {

constexpr std::array<std::string_view, 5> kinds{"constant", "step", "linear", "cosine", "triangle"};

template <typename... Args>
void require_option(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) throw UsageError(fmt::format(format, std::forward<Args>(args)...));
}

void check(const ScheduleOptions& options, double total_steps, double warmup_steps) {
  require_option(std::find(kinds.begin(), kinds.end(), options.kind) != kinds.end(),
                 "there is no schedule \"{}\"; there are constant, step, linear, cosine and triangle",
                 options.kind);
  require_option(total_steps >= 1, "a training of {} steps has no schedule", total_steps);
  require_option(warmup_steps >= 0 && warmup_steps <= total_steps,
                 "schedule.warmup_epochs = {}: {} steps of warm-up do not fit into a training of {} steps",
                 options.warmup_epochs, warmup_steps, total_steps);
  require_option(options.warmup_start >= 0 && options.final_factor >= 0 && options.start_factor >= 0 &&
                     options.gamma >= 0,
                 "factors of a learning-rate schedule cannot be negative");
  require_option(options.peak_at >= 0 && options.peak_at <= 1,
                 "the peak of a triangle lies at a fraction in [0, 1], not at {}", options.peak_at);
}

/// The straight line from `from` at 0 to `to` at 1.
double between(double from, double to, double t) {
  return from + (to - from) * t;
}

}  // namespace

Schedule::Schedule(ScheduleOptions options, std::int64_t total_steps, std::int64_t steps_per_epoch)
    : options_(std::move(options)),
      total_steps_(static_cast<double>(total_steps)),
      steps_per_epoch_(static_cast<double>(steps_per_epoch)),
      warmup_steps_(options_.kind == "triangle" ? 0.0 : options_.warmup_epochs * steps_per_epoch_) {
  check(options_, total_steps_, warmup_steps_);
}

double Schedule::factor(std::int64_t step) const {
  const auto now = static_cast<double>(step);
  if (now < warmup_steps_) return between(options_.warmup_start, 1.0, now / warmup_steps_);
  if (options_.kind == "constant") return 1.0;
  if (options_.kind == "step") {
    const auto passed = std::count_if(options_.milestones.begin(), options_.milestones.end(),
                                      [&](double epochs) { return now >= epochs * steps_per_epoch_; });
    return std::pow(options_.gamma, static_cast<double>(passed));
  }
  if (options_.kind == "triangle") {
    const double peak = options_.peak_at * total_steps_;
    if (now < peak) return between(options_.start_factor, 1.0, now / peak);
    return now < total_steps_ ? between(1.0, options_.final_factor, (now - peak) / (total_steps_ - peak))
                              : options_.final_factor;
  }
  if (now >= total_steps_) return options_.final_factor;
  const double t = (now - warmup_steps_) / (total_steps_ - warmup_steps_);
  if (options_.kind == "linear") return between(1.0, options_.final_factor, t);
  return between(options_.final_factor, 1.0, 0.5 * (1.0 + std::cos(std::numbers::pi * t)));
}

}  // namespace whorl::train
