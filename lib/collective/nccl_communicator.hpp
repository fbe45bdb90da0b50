// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <nccl.h>

#include <chrono>
#include <exception>
#include <string>

#include "gpu/stream.hpp"
#include "mpi/communicator.hpp"

namespace whorl::collective {

/// NCCL between the GPUs of a communicator's ranks, one for each. Sums are queued in streams. A library's
/// failure, or work that takes longer than `deadline`, is an Error: NCCL itself would wait for a dead rank
/// for ever.
class NcclCommunicator {
 public:
  /// On this thread's current GPU, which no other rank has. `algorithm`: "ring" or "tree", which NCCL_ALGO is
  /// set to and which add in the same order in every run on the same nodes; or "auto", NCCL's choice or its
  /// variables', where NVLS may add in another order each time. Collective.
  NcclCommunicator(const mpi::Communicator& comm, const std::string& algorithm,
                   std::chrono::seconds deadline);
  /// Collective, but aborts this rank's part while an exception unwinds.
  ~NcclCommunicator();
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  /// "nccl ring"; "nccl" where NCCL chooses.
  const std::string& name() const { return name_; }

  /// Queues the sum over all ranks of `count` values in GPU memory, in place; may be captured into a graph.
  void queue_sum(void* data, std::size_t count, ncclDataType_t type, const gpu::Stream& stream);
  /// What has failed since, in NCCL's threads.
  void check_library() const;
  /// Returns when `event`, which follows sums, has been reached.
  void wait(const gpu::Event& event) const;

 private:
  using Clock = std::chrono::steady_clock;
  /// Throws Error with NCCL's words unless `code` is a success or still in progress.
  void check(ncclResult_t code, const char* call) const;
  /// Calls are begun only; returns when the last one has ended.
  void settle(const char* call) const;
  void require_in_time(Clock::time_point start, const char* call) const;

  std::string name_;
  std::chrono::seconds deadline_;
  int exceptions_ = std::uncaught_exceptions();
  ncclComm_t comm_ = nullptr;
};

}  // namespace whorl::collective
