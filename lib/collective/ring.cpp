// SPDX-License-Identifier: BSD-3-Clause
#include "collective/ring.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/block_range.hpp"
#include "base/error.hpp"
#include "collective/add.hpp"

namespace whorl::collective {
namespace {

/// Messages of one sum that are open at a time, in each direction. Two let one transfer run while another is
/// added; more would push the receive buffer out of cache.
constexpr std::int64_t window = 2;

/// MPI guarantees this many tags: many more than there are ever sums in flight.
constexpr std::uint64_t tags = 32768;

int block_after(int rank, int steps, int size) {
  return ((rank - steps) % size + size) % size;
}

std::span<float> part(std::span<float> data, int parts, int index) {
  const Range range = block_range(static_cast<std::int64_t>(data.size()), parts, index);
  return data.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.size()));
}

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

/// One all-reduce under way. Its messages in either direction are numbered 0 .. messages_-1: step by step,
/// and within a step segment by segment. All progress is four counters, each of which only grows.
class Ring::Sum {
 public:
  Sum(Ring& ring, std::uint64_t id, std::span<float> data);
  ~Sum() {
    if (!buffer_.empty()) ring_.buffers_.push_back(std::move(buffer_));
  }
  Sum(const Sum&) = delete;
  Sum& operator=(const Sum&) = delete;

  std::uint64_t id() const { return id_; }
  bool done() const { return received_ == messages_ && sent_ == messages_; }
  /// Does what can be done now, without blocking; false when that was nothing.
  bool advance();

 private:
  bool turn();
  bool take_received();
  bool take_sent();
  bool post_receives();
  bool post_sends();

  int step(std::int64_t message) const { return static_cast<int>(message / segments_); }
  bool reduces(std::int64_t message) const { return step(message) < size_ - 1; }
  std::span<float> segment(int block, std::int64_t message) const {
    return part(part(data_, size_, block), static_cast<int>(segments_),
                static_cast<int>(message % segments_));
  }
  std::span<float> outgoing(std::int64_t message) const {
    return segment(block_after(rank_, step(message), size_), message);
  }
  std::span<float> incoming(std::int64_t message) const {
    return segment(block_after(rank_, step(message) + 1, size_), message);
  }
  std::span<float> slot(std::int64_t message) {
    return std::span(buffer_).subspan(static_cast<std::size_t>(message % window) * slot_floats_,
                                      incoming(message).size());
  }

  Ring& ring_;
  std::uint64_t id_;
  int tag_;
  int rank_, size_;
  std::span<float> data_;
  std::int64_t segments_;  // messages per step
  std::int64_t messages_;
  std::size_t slot_floats_ = 0;                      // the longest segment
  std::vector<float> buffer_;                        // (window, slot_floats_): what is received to be added
  std::deque<Transport::Request> receives_, sends_;  // posted, in order
  std::int64_t received_ = 0, receives_posted_ = 0, sent_ = 0, sends_posted_ = 0;
};

Ring::Sum::Sum(Ring& ring, std::uint64_t id, std::span<float> data)
    : ring_(ring),
      id_(id),
      tag_(static_cast<int>(id % tags)),
      rank_(ring.transport_->rank()),
      size_(ring.transport_->size()),
      data_(data) {
  const std::int64_t largest_block = divide_up(static_cast<std::int64_t>(data.size()), size_);
  segments_ = divide_up(largest_block, static_cast<std::int64_t>(ring.chunk_));
  messages_ = 2 * (size_ - 1) * segments_;
  if (messages_ == 0) return;
  if (!ring.buffers_.empty()) {
    buffer_ = std::move(ring.buffers_.back());
    ring.buffers_.pop_back();
  }
  slot_floats_ = static_cast<std::size_t>(divide_up(largest_block, segments_));
  buffer_.resize(std::max(buffer_.size(), static_cast<std::size_t>(window) * slot_floats_));
}

bool Ring::Sum::advance() {
  bool moved = false;
  // A segment just received is sent on before the next one is looked at.
  while (turn()) moved = true;
  return moved;
}

bool Ring::Sum::turn() {
  // Sends first: the next rank waits for them, while posting a receive may already copy what has arrived.
  bool moved = post_sends();
  moved |= post_receives();
  moved |= take_received();
  moved |= take_sent();
  return moved;
}

bool Ring::Sum::take_received() {
  if (receives_.empty() || !ring_.transport_->test(receives_.front())) return false;
  receives_.pop_front();
  if (reduces(received_)) add(incoming(received_), slot(received_));
  ++received_;
  return true;
}

bool Ring::Sum::take_sent() {
  if (sends_.empty() || !ring_.transport_->test(sends_.front())) return false;
  sends_.pop_front();
  ++sent_;
  return true;
}

bool Ring::Sum::post_receives() {
  bool moved = false;
  for (; receives_posted_ < std::min(messages_, received_ + window); ++receives_posted_, moved = true) {
    const std::int64_t message = receives_posted_;
    // An all-gather step overwrites the block that went out P-1 steps before: that send must be complete.
    if (!reduces(message) && sent_ <= message - (size_ - 1) * segments_) break;
    receives_.push_back(ring_.transport_->start_receive(
        (rank_ + size_ - 1) % size_, tag_, reduces(message) ? slot(message) : incoming(message)));
  }
  return moved;
}

bool Ring::Sum::post_sends() {
  bool moved = false;
  // What goes out in a step came in with the step before.
  const std::int64_t ready = std::min(messages_, received_ + segments_);
  for (; sends_posted_ < std::min(ready, sent_ + window); ++sends_posted_, moved = true) {
    const std::span<const float> data = outgoing(sends_posted_);
    sends_.push_back(ring_.transport_->start_send((rank_ + 1) % size_, tag_, data));
    ring_.spent_.bytes_sent += static_cast<std::int64_t>(data.size_bytes());
    if (sends_posted_ % segments_ == 0) ++ring_.spent_.steps;
  }
  return moved;
}

Ring::Ring(std::unique_ptr<Transport> transport, std::size_t chunk_bytes)
    : transport_(std::move(transport)), chunk_(chunk_bytes / sizeof(float)) {
  require(chunk_ > 0 && chunk_ <= std::numeric_limits<int>::max(),
          "ring all-reduce: a chunk of {} bytes; it must hold 1 to 2^31-1 floats", chunk_bytes);
}

Ring::~Ring() = default;

std::optional<Cost> Ring::cost(std::size_t bytes) const {
  const int size = transport_->size(), rank = transport_->rank();
  const auto count = static_cast<std::int64_t>(bytes / sizeof(float));
  if (size == 1 || count == 0) return Cost{};
  // Each phase sends every block but one.
  const std::int64_t kept =
      block_range(count, size, (rank + 1) % size).size() + block_range(count, size, (rank + 2) % size).size();
  return Cost{.steps = 2 * (size - 1),
              .bytes_sent = (2 * count - kept) * static_cast<std::int64_t>(sizeof(float))};
}

Ticket Ring::start_sum(std::span<float> data) {
  sums_.push_back(std::make_unique<Sum>(*this, next_id_, data));
  advance();
  return Ticket{next_id_++};
}

bool Ring::advance() {
  bool moved = false;
  for (const auto& sum : sums_) moved |= sum->advance();
  std::erase_if(sums_, [](const auto& sum) { return sum->done(); });
  return moved;
}

bool Ring::under_way(Ticket ticket) const {
  return std::ranges::any_of(sums_, [&](const auto& sum) { return sum->id() == ticket.id; });
}

void Ring::progress() {
  while (advance()) {
  }
}

void Ring::wait(Ticket ticket) {
  while (under_way(ticket)) {
    if (!advance()) transport_->idle();
  }
}

}  // namespace whorl::collective
