// SPDX-License-Identifier: BSD-3-Clause
#include "collective/nccl_all_reduce.hpp"

#include <sched.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "gpu/check.hpp"

namespace whorl::collective {

NcclAllReduce::NcclAllReduce(const mpi::Communicator& comm, std::chrono::seconds deadline)
    : deadline_(deadline) {
  ncclUniqueId id{};
  if (comm.is_root()) check(ncclGetUniqueId(&id), "ncclGetUniqueId");
  comm.broadcast(std::span<char>(id.internal));
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  check(ncclCommInitRankConfig(&comm_, comm.size(), id, comm.rank(), &config), "ncclCommInitRankConfig");
  settle("ncclCommInitRankConfig");
}

NcclAllReduce::~NcclAllReduce() {
  if (std::uncaught_exceptions() > exceptions_) {
    ncclCommAbort(comm_);
    return;
  }
  ncclCommFinalize(comm_);
  try {
    settle("ncclCommFinalize");
  } catch (const Error&) {
    ncclCommAbort(comm_);
    return;
  }
  ncclCommDestroy(comm_);
}

Ticket NcclAllReduce::start_sum(Values data) {
  const Ticket ticket{next_id_++};
  if (data.empty()) return ticket;
  Slot& slot = free_slot(data.size_bytes());
  slot.id = ticket.id;
  slot.busy = true;
  std::byte* memory = slot.memory.data();
  const cudaStream_t stream = stream_.get();
  gpu::check(cudaMemcpyAsync(memory, data.data(), data.size_bytes(), cudaMemcpyHostToDevice, stream),
             "cudaMemcpyAsync");
  const ncclDataType_t type = data.element() == Element::float32 ? ncclFloat32 : ncclInt64;
  check(ncclAllReduce(memory, memory, data.size(), type, ncclSum, comm_, stream), "ncclAllReduce");
  settle("ncclAllReduce");  // what follows in the stream must come after it
  gpu::check(cudaMemcpyAsync(data.data(), memory, data.size_bytes(), cudaMemcpyDeviceToHost, stream),
             "cudaMemcpyAsync");
  slot.summed.record(stream_);
  return ticket;
}

bool NcclAllReduce::done(Ticket ticket) const {
  const Slot* slot = slot_of(ticket);
  return slot == nullptr || slot->summed.reached();
}

void NcclAllReduce::wait(Ticket ticket) {
  const Clock::time_point start = Clock::now();
  while (!done(ticket)) {
    check_library();
    require_in_time(start, "ncclAllReduce");
    sched_yield();
  }
  for (Slot& slot : slots_) {
    if (slot.id == ticket.id) slot.busy = false;
  }
}

std::byte* NcclAllReduce::allocate_bytes(std::size_t bytes) {
  std::byte* memory = allocated_.emplace_back(bytes).as<std::byte>().data();
  std::memset(memory, 0, bytes);
  return memory;
}

NcclAllReduce::Slot& NcclAllReduce::free_slot(std::size_t bytes) {
  auto slot = std::ranges::find(slots_, false, &Slot::busy);
  if (slot == slots_.end()) slot = slots_.emplace(slots_.end());
  if (slot->memory.bytes() < bytes) slot->memory = gpu::DeviceMemory(bytes, "gradients to be summed");
  return *slot;
}

const NcclAllReduce::Slot* NcclAllReduce::slot_of(Ticket ticket) const {
  const auto slot =
      std::ranges::find_if(slots_, [&](const Slot& each) { return each.busy && each.id == ticket.id; });
  return slot == slots_.end() ? nullptr : &*slot;
}

void NcclAllReduce::check(ncclResult_t code, const char* call) const {
  if (code == ncclSuccess || code == ncclInProgress) return;
  throw Error("{} failed: {}: {}", call, ncclGetErrorString(code), ncclGetLastError(comm_));
}

void NcclAllReduce::check_library() const {
  ncclResult_t state = ncclSuccess;
  check(ncclCommGetAsyncError(comm_, &state), "ncclCommGetAsyncError");
  check(state, "NCCL");
}

void NcclAllReduce::settle(const char* call) const {
  const Clock::time_point start = Clock::now();
  for (;;) {
    ncclResult_t state = ncclSuccess;
    check(ncclCommGetAsyncError(comm_, &state), "ncclCommGetAsyncError");
    check(state, call);
    if (state != ncclInProgress) return;
    require_in_time(start, call);
    sched_yield();
  }
}

void NcclAllReduce::require_in_time(Clock::time_point start, const char* call) const {
  require(Clock::now() - start < deadline_, "{} has not ended within {} s: another rank hangs or has died",
          call, deadline_.count());
}

}  // namespace whorl::collective
