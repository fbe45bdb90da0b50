// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <deque>
#include <vector>

#include "collective/all_reduce.hpp"
#include "collective/nccl_communicator.hpp"
#include "gpu/memory.hpp"
#include "gpu/stream.hpp"

namespace whorl::collective {

/// NCCL's all-reduce between GPUs. Buffers lie on the host: they go to the GPU, are summed there and come
/// back, all in one stream, so that start_sum() returns at once for memory of allocate().
class NcclAllReduce : public AllReduce {
 public:
  /// See NcclCommunicator. Collective.
  NcclAllReduce(const mpi::Communicator& comm, const std::string& algorithm)
      : nccl_(comm, algorithm, std::chrono::seconds(120)) {}

  std::string name() const override { return nccl_.name(); }
  std::optional<Cost> cost(Values) const override { return std::nullopt; }
  std::optional<Cost> spent() const override { return std::nullopt; }
  Ticket start_sum(Values data) override;
  void progress() override { nccl_.check_library(); }
  bool done(Ticket ticket) const override;
  void wait(Ticket ticket) override;

 protected:
  /// Page-locked.
  std::byte* allocate_bytes(std::size_t bytes) override;

 private:
  /// One sum on the GPU, used again and again.
  struct Slot {
    gpu::DeviceMemory memory;
    gpu::Event summed;
    std::uint64_t id = 0;
    bool busy = false;
  };
  Slot& free_slot(std::size_t bytes);
  const Slot* slot_of(Ticket ticket) const;

  gpu::Stream stream_;
  std::deque<Slot> slots_;
  std::vector<gpu::PinnedMemory> allocated_;
  std::uint64_t next_id_ = 0;
  NcclCommunicator nccl_;  // last: finalised before the stream and the memory of its sums go
};

}  // namespace whorl::collective
