// SPDX-License-Identifier: BSD-3-Clause
#include "collective/nccl_all_reduce.hpp"

#include <algorithm>
#include <cstring>

#include "gpu/check.hpp"

namespace whorl::collective {

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
  nccl_.queue_sum(memory, data.size(), type, stream_);
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
  for (Slot& slot : slots_) {
    if (!slot.busy || slot.id != ticket.id) continue;
    nccl_.wait(slot.summed);
    slot.busy = false;
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

}  // namespace whorl::collective
