// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <nvtx3/nvToolsExt.h>

namespace whorl::gpu {

/// Names what this thread does, as long as it lives, in the timelines of NVIDIA's profilers.
class Range {
 public:
  explicit Range(const char* name) { nvtxRangePushA(name); }
  ~Range() { nvtxRangePop(); }
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;
};

}  // namespace whorl::gpu
