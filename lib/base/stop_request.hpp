// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace whorl {

/// From its construction on, SIGUSR1, SIGTERM and SIGINT (^C) no longer end this process but ask it to stop
/// at its next good moment. So does the end of its time, a tenth of it ahead, at most a minute. One object at
/// a time.
class StopRequest {
 public:
  /// `seconds` from now the process has to be gone; 0: any time. In a Slurm job that knows its end
  /// (SLURM_JOB_END_TIME, since Slurm 23.11), that counts where it comes first.
  explicit StopRequest(double seconds);
  /// The signals end the process again; but where it was asked to stop, or all have agreed to, and it is
  /// about to, they are ignored: batch systems send several, and srun ends ranks once another has ended.
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  bool is_pending() const;
  /// It is being met on all ranks, whichever of them it was made to.
  void set_agreed();

 private:
  using Clock = std::chrono::steady_clock;
  /// Where the main thread takes signals: oneDNN's generated code keeps numbers below its stack pointer,
  /// which a signal taken on the same stack would overwrite.
  std::vector<std::byte> stack_ = std::vector<std::byte>(std::size_t{256} << 10);
  std::optional<Clock::time_point> end_;
};

}  // namespace whorl
