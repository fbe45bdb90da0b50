// SPDX-License-Identifier: BSD-3-Clause
#include "collective/ring.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace whorl::collective {
namespace {

/// Messages of one sum that are open at a time, in each direction. Two let one transfer run while another is
/// added; more would push what is to be added out of cache.
constexpr std::int64_t window = 2;

int block_after(int rank, int steps, int size) {
  return ((rank - steps) % size + size) % size;
}

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

/// Its messages in either direction are numbered 0 .. messages_-1: step by step,
/// and within a step segment by segment. All progress is four counters, each of which only grows.
class Ring::RingSum : public Sum {
 public:
  RingSum(Ring& ring, std::uint64_t id, Values data);
  bool done() const override { return received_ == messages_ && sent_ == messages_; }
  bool advance() override;

 private:
  bool turn();
  bool take_received();
  bool take_sent();
  bool post_receives();
  bool post_sends();

  int step(std::int64_t message) const { return static_cast<int>(message / segments_); }
  bool reduces(std::int64_t message) const { return step(message) < size_ - 1; }
  Values segment(int block, std::int64_t message) const {
    return data_.part(size_, block).part(static_cast<int>(segments_), static_cast<int>(message % segments_));
  }
  Values outgoing(std::int64_t message) const {
    return segment(block_after(rank_, step(message), size_), message);
  }
  Values incoming(std::int64_t message) const {
    return segment(block_after(rank_, step(message) + 1, size_), message);
  }

  Ring& ring_;
  int tag_;
  int rank_, size_;
  Values data_;
  std::int64_t segments_;  // messages per step
  std::int64_t messages_;
  std::deque<Transport::Request> receives_, sends_;  // posted, in order
  std::int64_t received_ = 0, receives_posted_ = 0, sent_ = 0, sends_posted_ = 0;
};

Ring::RingSum::RingSum(Ring& ring, std::uint64_t id, Values data)
    : Sum(id),
      ring_(ring),
      tag_(tag_of(id)),
      rank_(ring.transport_->rank()),
      size_(ring.transport_->size()),
      data_(data) {
  const std::int64_t largest_block = divide_up(static_cast<std::int64_t>(data.size()), size_);
  segments_ = divide_up(largest_block, static_cast<std::int64_t>(ring.chunk_of(data.element())));
  messages_ = 2 * (size_ - 1) * segments_;
}

bool Ring::RingSum::advance() {
  bool moved = false;
  // A segment just received is sent on before the next one is looked at.
  while (turn()) moved = true;
  return moved;
}

bool Ring::RingSum::turn() {
  // Sends first: the next rank waits for them, while posting a receive may already copy what has arrived.
  bool moved = post_sends();
  moved |= post_receives();
  moved |= take_received();
  moved |= take_sent();
  return moved;
}

bool Ring::RingSum::take_received() {
  if (receives_.empty() || !ring_.transport_->test(receives_.front())) return false;
  receives_.pop_front();
  ++received_;
  return true;
}

bool Ring::RingSum::take_sent() {
  if (sends_.empty() || !ring_.transport_->test(sends_.front())) return false;
  sends_.pop_front();
  ++sent_;
  return true;
}

bool Ring::RingSum::post_receives() {
  bool moved = false;
  for (; receives_posted_ < std::min(messages_, received_ + window); ++receives_posted_, moved = true) {
    const std::int64_t message = receives_posted_;
    // An all-gather step overwrites the block that went out P-1 steps before: that send must be complete.
    if (!reduces(message) && sent_ <= message - (size_ - 1) * segments_) break;
    receives_.push_back(ring_.transport_->start_receive((rank_ + size_ - 1) % size_, tag_, incoming(message),
                                                        reduces(message) ? Arrival::add : Arrival::store));
  }
  return moved;
}

bool Ring::RingSum::post_sends() {
  bool moved = false;
  // What goes out in a step came in with the step before.
  const std::int64_t ready = std::min(messages_, received_ + segments_);
  for (; sends_posted_ < std::min(ready, sent_ + window); ++sends_posted_, moved = true) {
    const Values data = outgoing(sends_posted_);
    sends_.push_back(ring_.transport_->start_send((rank_ + 1) % size_, tag_, data));
    ring_.spent_.bytes_sent += static_cast<std::int64_t>(data.size_bytes());
    if (sends_posted_ % segments_ == 0) ++ring_.spent_.steps;
  }
  return moved;
}

Ring::Ring(std::unique_ptr<Transport> transport, std::size_t chunk_bytes)
    : SumQueue(std::move(transport), chunk_bytes) {}

std::optional<Cost> Ring::cost(Values data) const {
  const int size = transport_->size(), rank = transport_->rank();
  if (size == 1 || data.empty()) return Cost{};
  // Each phase sends every block but one.
  const std::size_t kept =
      data.part(size, (rank + 1) % size).size_bytes() + data.part(size, (rank + 2) % size).size_bytes();
  return Cost{.steps = 2 * (size - 1), .bytes_sent = static_cast<std::int64_t>(2 * data.size_bytes() - kept)};
}

std::unique_ptr<SumQueue::Sum> Ring::make_sum(std::uint64_t id, Values data) {
  return std::make_unique<RingSum>(*this, id, data);
}

}  // namespace whorl::collective
