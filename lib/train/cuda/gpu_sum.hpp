// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>

#include "gpu/stream.hpp"
#include "mpi/communicator.hpp"

namespace whorl::train {

/// Sums floats in GPU memory over ranks, without the host.
class GpuSum {
 public:
  virtual ~GpuSum() = default;
  /// "nccl ring"
  virtual std::string name() const = 0;
  /// Queues the sum in place; may be captured into a graph, after the same sum has run once.
  virtual void queue(float* data, std::size_t count, const gpu::Stream& stream) = 0;
  /// Returns when `event`, which follows sums, has been reached. Throws Error for a rank that is gone.
  virtual void wait(const gpu::Event& event) = 0;
};

/// By NCCL; null in a build without it. `algorithm`: see collective::NcclCommunicator. Collective.
std::unique_ptr<GpuSum> make_gpu_sum(const mpi::Communicator& comm, const std::string& algorithm);

}  // namespace whorl::train
