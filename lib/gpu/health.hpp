// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace whorl::gpu {

/// What a GPU is and does, tried.
struct Health {
  double free_bytes = 0, total_bytes = 0;  ///< of its memory
  double to_gpu = 0, from_gpu = 0;         ///< bytes/s from and to page-locked memory: medians
  bool intact = false;                     ///< whether what came back is what was sent
};

/// Tries the current GPU of this thread with copies of `bytes`. Throws Error with CUDA's own words where it
/// does not work.
Health examine_gpu(std::size_t bytes);

}  // namespace whorl::gpu
