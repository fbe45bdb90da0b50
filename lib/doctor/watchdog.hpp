// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <thread>

namespace whorl::doctor {

/// Ends this process, and so the job, with a message when the examination takes too long: a firewall between
/// nodes or a dead file server would else hold it forever.
class Watchdog {
 public:
  /// `who`: "rank 3 (n2)".
  Watchdog(int seconds, std::string who);
  /// What is looked at from now on, for the message.
  void look_at(const std::string& check);

 private:
  std::jthread thread_;
};

/// Says, while it lives, that this rank works on something of its own rather than waiting for all: of a job
/// that hangs, only ranks that do so report.
class LocalWork {
 public:
  explicit LocalWork(const std::string& what);
  ~LocalWork();
  LocalWork(const LocalWork&) = delete;
  LocalWork& operator=(const LocalWork&) = delete;
};

}  // namespace whorl::doctor
