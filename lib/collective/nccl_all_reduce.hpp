// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <nccl.h>

#include <chrono>
#include <deque>
#include <exception>
#include <vector>

#include "collective/all_reduce.hpp"
#include "gpu/memory.hpp"
#include "gpu/stream.hpp"

namespace whorl::collective {

/// NCCL's all-reduce between GPUs, one for each rank. Buffers lie on the host: they go to the GPU, are summed
/// there and come back, all in one stream, so that start_sum() returns at once for memory of allocate(). A
/// library's failure, or a sum that takes longer than `deadline`, is an Error: NCCL itself would wait for a
/// dead rank for ever.
class NcclAllReduce : public AllReduce {
 public:
  /// On this thread's current GPU, which no other rank has. Collective.
  explicit NcclAllReduce(const mpi::Communicator& comm,
                         std::chrono::seconds deadline = std::chrono::seconds(120));
  /// Collective, but aborts this rank's part while an exception unwinds.
  ~NcclAllReduce() override;
  NcclAllReduce(const NcclAllReduce&) = delete;
  NcclAllReduce& operator=(const NcclAllReduce&) = delete;

  std::string name() const override { return "nccl"; }
  std::optional<Cost> cost(Values) const override { return std::nullopt; }
  std::optional<Cost> spent() const override { return std::nullopt; }
  Ticket start_sum(Values data) override;
  void progress() override { check_library(); }
  bool done(Ticket ticket) const override;
  void wait(Ticket ticket) override;

 protected:
  /// Page-locked.
  std::byte* allocate_bytes(std::size_t bytes) override;

 private:
  using Clock = std::chrono::steady_clock;
  /// One sum on the GPU, used again and again.
  struct Slot {
    gpu::DeviceMemory memory;
    gpu::Event summed;
    std::uint64_t id = 0;
    bool busy = false;
  };
  Slot& free_slot(std::size_t bytes);
  const Slot* slot_of(Ticket ticket) const;
  /// Throws Error with NCCL's words unless `code` is a success or still in progress.
  void check(ncclResult_t code, const char* call) const;
  /// What has failed since, in NCCL's threads.
  void check_library() const;
  /// Calls are begun only; returns when the last one has ended.
  void settle(const char* call) const;
  void require_in_time(Clock::time_point start, const char* call) const;

  std::chrono::seconds deadline_;
  int exceptions_ = std::uncaught_exceptions();
  gpu::Stream stream_;
  ncclComm_t comm_ = nullptr;
  std::deque<Slot> slots_;
  std::vector<gpu::PinnedMemory> allocated_;
  std::uint64_t next_id_ = 0;
};

}  // namespace whorl::collective
