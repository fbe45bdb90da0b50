// SPDX-License-Identifier: BSD-3-Clause
#include "collective/sum_queue.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.hpp"

namespace whorl::collective {

SumQueue::SumQueue(std::unique_ptr<Transport> transport, std::size_t chunk_bytes)
    : transport_(std::move(transport)), chunk_bytes_(chunk_bytes) {
  require(chunk_bytes >= sizeof(float) && chunk_bytes <= std::numeric_limits<int>::max(),
          "all-reduce: a chunk of {} bytes; it must be 4 to 2^31-1", chunk_bytes);
}

std::byte* SumQueue::allocate_bytes(std::size_t bytes) {
  std::byte* memory = transport_->allocate(bytes);
  return memory != nullptr ? memory : AllReduce::allocate_bytes(bytes);
}

std::size_t SumQueue::chunk_of(Element element) const {
  return std::max<std::size_t>(1, chunk_bytes_ / size_of(element));
}

int SumQueue::segments_of(Values data) const {
  const std::size_t chunk = chunk_of(data.element());
  return static_cast<int>((data.size() + chunk - 1) / chunk);
}

Ticket SumQueue::start_sum(Values data) {
  sums_.push_back(make_sum(next_id_, data));
  advance();
  return Ticket{next_id_++};
}

bool SumQueue::advance() {
  bool moved = false;
  for (const auto& sum : sums_) moved |= sum->advance();
  std::erase_if(sums_, [](const auto& sum) { return sum->done(); });
  return moved;
}

bool SumQueue::under_way(Ticket ticket) const {
  return std::ranges::any_of(sums_, [&](const auto& sum) { return sum->id() == ticket.id; });
}

void SumQueue::progress() {
  while (advance()) {
  }
}

void SumQueue::wait(Ticket ticket) {
  while (under_way(ticket)) {
    if (!advance()) transport_->idle();
  }
}

}  // namespace whorl::collective
