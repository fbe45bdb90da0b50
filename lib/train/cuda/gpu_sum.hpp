// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "gpu/stream.hpp"
#include "mpi/communicator.hpp"

namespace whorl::train {

/// Sums floats in GPU memory over ranks, without the host.
class GpuSum {
 public:
  virtual ~GpuSum() = default;
  /// Queues the sum in place; may be captured into a graph, after the same sum has run once.
  virtual void queue(float* data, std::size_t count, const gpu::Stream& stream) = 0;
  /// Returns when `event`, which follows sums, has been reached. Throws Error for a rank that is gone.
  virtual void wait(const gpu::Event& event) = 0;
};

/// By NCCL; null in a build without it. Collective.
std::unique_ptr<GpuSum> make_gpu_sum(const mpi::Communicator& comm);

}  // namespace whorl::train
