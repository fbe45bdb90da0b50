// SPDX-License-Identifier: BSD-3-Clause
#include "collective/node_transport.hpp"

#include <atomic>
#include <utility>

namespace whorl::collective {
namespace {

/// Answers to messages of `tag` must not meet messages of that tag which go the same way.
int answer_to(int tag) {
  return Transport::tags + tag;
}

}  // namespace

NodeTransport::NodeTransport(std::unique_ptr<Transport> messages, std::unique_ptr<NodeMemory> memory,
                             std::vector<std::optional<int>> node_ranks, std::size_t small_bytes)
    : messages_(std::move(messages)),
      memory_(std::move(memory)),
      node_ranks_(std::move(node_ranks)),
      small_bytes_(small_bytes) {}

std::byte* NodeTransport::allocate(std::size_t bytes) {
  return memory_->allocate(bytes).parts[static_cast<std::size_t>(memory_->rank())];
}

std::optional<Values> NodeTransport::at(int rank, Values data) const {
  const std::optional<int> node_rank = node_ranks_[static_cast<std::size_t>(rank)];
  if (!node_rank || data.size_bytes() <= small_bytes_) return {};
  const NodeMemory::Region* region = memory_->region_of(data.bytes());
  if (region == nullptr) return {};
  const std::byte* own = region->parts[static_cast<std::size_t>(memory_->rank())];
  std::byte* other = region->parts[static_cast<std::size_t>(*node_rank)];
  return Values{data.element(), other + (data.data() - own), data.size()};
}

Transport::Request NodeTransport::start_send(int to, int tag, Values data) {
  if (!at(to, data)) return opened({.message = messages_->start_send(to, tag, data)});
  std::atomic_thread_fence(std::memory_order_release);
  return opened({.message = messages_->start_send(to, tag, {}),
                 .answer = messages_->start_receive(to, answer_to(tag), {}, Arrival::store)});
}

Transport::Request NodeTransport::start_receive(int from, int tag, Values into, Arrival arrival) {
  const std::optional<Values> data = at(from, into);
  if (!data) return opened({.message = messages_->start_receive(from, tag, into, arrival)});
  return opened({.message = messages_->start_receive(from, tag, {}, Arrival::store),
                 .from = from,
                 .tag = tag,
                 .data = *data,
                 .into = into,
                 .arrival = arrival});
}

bool NodeTransport::test(Request request) {
  Open& open = open_[request];
  if (!closed(open.message)) return false;
  if (!open.data.empty()) {
    std::atomic_thread_fence(std::memory_order_acquire);
    arrive(std::exchange(open.data, {}), open.into, open.arrival);
    std::atomic_thread_fence(
        std::memory_order_release);  // what was read there is read before it is overwritten
    open.answer = messages_->start_send(open.from, answer_to(open.tag), {});
  }
  if (!closed(open.answer)) return false;
  std::atomic_thread_fence(std::memory_order_acquire);
  free_.push_back(request);
  return true;
}

bool NodeTransport::closed(std::optional<Request>& part) {
  if (part && messages_->test(*part)) part.reset();
  return !part;
}

Transport::Request NodeTransport::opened(Open open) {
  if (free_.empty()) {
    open_.push_back(open);
    return open_.size() - 1;
  }
  const Request request = free_.back();
  free_.pop_back();
  open_[request] = open;
  return request;
}

}  // namespace whorl::collective
