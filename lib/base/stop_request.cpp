// SPDX-License-Identifier: BSD-3-Clause
#include "base/stop_request.hpp"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <ctime>

#include "base/error.hpp"

namespace whorl {

namespace {

// Any thread may take the signal.
std::atomic<bool> is_signalled = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may not take locks");

extern "C" void note_signal(int) {
  is_signalled = true;
}

bool set_handlers(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  bool are_set = true;
  for (const int signal : {SIGUSR1, SIGTERM, SIGINT}) {
    if (signal == SIGINT) action.sa_flags |= SA_RESETHAND;  // the second ^C ends the process
    are_set &= sigaction(signal, &action, nullptr) == 0;
  }
  return are_set;
}

/// Seconds until Slurm ends this job, where it says so.
std::optional<double> seconds_left_in_slurm() {
  const char* end = std::getenv("SLURM_JOB_END_TIME");
  if (end == nullptr) return std::nullopt;
  return std::strtod(end, nullptr) - static_cast<double>(std::time(nullptr));
}

}  // namespace

StopRequest::StopRequest(double seconds) {
  std::optional<double> left = seconds_left_in_slurm();
  if (seconds > 0) left = std::min(seconds, left.value_or(seconds));
  if (left) {
    const std::chrono::duration<double> usable(*left - std::min(60.0, *left / 10));
    end_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(usable);
  }
  is_signalled = false;
  const stack_t stack{.ss_sp = stack_.data(), .ss_flags = 0, .ss_size = stack_.size()};
  const bool are_set = sigaltstack(&stack, nullptr) == 0 && set_handlers(note_signal);
  require(are_set, "cannot take signals: {}", system_error_text(errno));
}

StopRequest::~StopRequest() {
  set_handlers(is_signalled ? SIG_IGN : SIG_DFL);
  const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  sigaltstack(&none, nullptr);
}

bool StopRequest::is_pending() const {
  return is_signalled || (end_ && Clock::now() >= *end_);
}

void StopRequest::set_agreed() {
  is_signalled = true;
}

}  // namespace whorl
