// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace whorl::train {

/// How the learning rate moves over a training of a known number of steps. Epochs may be fractions.
struct ScheduleOptions {
  std::string kind = "linear";  ///< constant | step | linear | cosine | triangle
  double warmup_epochs = 0;     ///< linear rise from warmup_start before anything else (not for triangle)
  double warmup_start = 0;      ///< factor at step 0 of the warm-up
  double final_factor = 0;      ///< linear, cosine, triangle: factor at the last step's end
  double peak_at = 0.25;        ///< triangle: fraction of the training at which the factor is 1
  double start_factor = 0.2;    ///< triangle: factor at step 0
  std::vector<double> milestones{};  ///< step: epochs after which the factor is multiplied by gamma
  double gamma = 0.1;
};

/// The factor by which every base learning rate is multiplied at a step.
class Schedule {
 public:
  /// Throws UsageError for an unknown kind or impossible values.
  Schedule(ScheduleOptions options, std::int64_t total_steps, std::int64_t steps_per_epoch);
  double factor(std::int64_t step) const;

 private:
  ScheduleOptions options_;
  double total_steps_;
  double steps_per_epoch_;
  double warmup_steps_;
};

}  // namespace whorl::train
