// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/watchdog.hpp"

#include <fmt/core.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace whorl::doctor {

namespace {

std::mutex mutex;
std::string check, local_work;  // guarded by mutex

constexpr int tenths_for_others = 10;  // that a rank without work of its own leaves to those that have some

[[noreturn]] void give_up(const std::string& who, int seconds) {
  std::fflush(stdout);
  fmt::print(stderr,
             "whorl-doctor: error on {}: not done within {} s (--limit); at \"{}\": {}\n"
             "  A network between nodes that lets nothing through (firewall, wrong interface: Open MPI's "
             "--mca btl_tcp_if_include) or a file server that does not answer looks like this.\n",
             who, seconds, check, local_work.empty() ? "waiting for other ranks" : local_work);
  std::_Exit(1);
}

/// Counts tenths of a second itself instead of reading a clock, so that a job that is suspended and continued
/// is not taken for one that hangs.
void watch(const std::stop_token& stop, int seconds, const std::string& who) {
  std::condition_variable_any nobody;
  std::unique_lock lock(mutex);
  for (int tenths = 0; !stop.stop_requested(); ++tenths) {
    const bool is_over = tenths >= 10 * seconds;
    if (is_over && (!local_work.empty() || tenths >= 10 * seconds + tenths_for_others)) give_up(who, seconds);
    nobody.wait_for(lock, stop, std::chrono::milliseconds(100), [] { return false; });
  }
}

}  // namespace

Watchdog::Watchdog(int seconds, std::string who)
    : thread_([seconds, who = std::move(who)](const std::stop_token& stop) { watch(stop, seconds, who); }) {}

void Watchdog::look_at(const std::string& name) {
  const std::lock_guard lock(mutex);
  check = name;
}

LocalWork::LocalWork(const std::string& what) {
  const std::lock_guard lock(mutex);
  local_work = what;
}

LocalWork::~LocalWork() {
  const std::lock_guard lock(mutex);
  local_work.clear();
}

}  // namespace whorl::doctor
