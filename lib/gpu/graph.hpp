// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

#include "base/unique_handle.hpp"
#include "gpu/stream.hpp"

namespace whorl::gpu {

/// Work that was queued once and is launched as a whole, again and again: a CUDA graph.
class Graph {
 public:
  /// Captures what `queue` puts into `stream`, and into other streams that wait for it and that it waits for
  /// in the end. Nothing of it runs yet, and `queue` may neither allocate nor wait. Everything must have run
  /// once before, since kernels are loaded when they first do.
  Graph(const Stream& stream, const std::function<void()>& queue);
  void launch(const Stream& stream);

 private:
  struct Traits {
    static cudaGraphExec_t invalid() { return nullptr; }
    static void release(cudaGraphExec_t graph) noexcept;
  };
  UniqueHandle<cudaGraphExec_t, Traits> graph_;
};

}  // namespace whorl::gpu
