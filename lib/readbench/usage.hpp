// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace whorl::readbench {

/// What this process has used so far (getrusage, /proc/self/io, /proc/thread-self/schedstat).
struct Usage {
  double user_seconds = 0, system_seconds = 0;
  std::int64_t disk_bytes = 0;    ///< fetched from the storage layer, 0 where the kernel does not count
  std::int64_t major_faults = 0;  ///< page faults that waited for the disk
  double queue_seconds = 0;       ///< of the calling thread: ready to run, but without a processor
  Usage operator-(const Usage& earlier) const;
};
Usage usage_now();

/// Bytes per second at which this process copies memory larger than the caches, for a yardstick.
double measure_copy_bandwidth();

}  // namespace whorl::readbench
