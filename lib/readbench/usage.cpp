// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/usage.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace whorl::readbench {

namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

std::int64_t disk_bytes() {
  std::ifstream file("/proc/self/io");
  std::string name;
  for (std::int64_t value = 0; file >> name >> value;)
    if (name == "read_bytes:") return value;
  return 0;
}

double queue_seconds() {
  std::ifstream file("/proc/thread-self/schedstat");
  double on_processor = 0, in_queue = 0;  // nanoseconds
  file >> on_processor >> in_queue;
  return in_queue * 1e-9;
}

}  // namespace

Usage usage_now() {
  struct rusage usage {};
  const int code = ::getrusage(RUSAGE_SELF, &usage);
  require(code == 0, "getrusage failed: {}", system_error_text(errno));
  return {seconds(usage.ru_utime), seconds(usage.ru_stime), disk_bytes(), usage.ru_majflt, queue_seconds()};
}

Usage Usage::operator-(const Usage& earlier) const {
  return {user_seconds - earlier.user_seconds, system_seconds - earlier.system_seconds,
          disk_bytes - earlier.disk_bytes, major_faults - earlier.major_faults,
          queue_seconds - earlier.queue_seconds};
}

double measure_copy_bandwidth() {
  constexpr std::size_t bytes = std::size_t{128} << 20;
  std::vector<std::uint8_t> from(bytes, 1), to(bytes, 2);
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    from[static_cast<std::size_t>(round)] = 3;  // so that no copy is like the one before
    const auto start = std::chrono::steady_clock::now();
    std::memcpy(to.data(), from.data(), bytes);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    require(to[static_cast<std::size_t>(round)] == 3, "a copy of memory went wrong");
    best = std::max(best, static_cast<double>(bytes) / took.count());
  }
  return best;
}

}  // namespace whorl::readbench
