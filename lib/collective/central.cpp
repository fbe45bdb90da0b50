// SPDX-License-Identifier: BSD-3-Clause
#include "collective/central.hpp"

#include <algorithm>
#include <utility>

namespace whorl::collective {
namespace {

constexpr int server = 0;

/// Receives of the server that are open at a time: one arrives while another is added.
constexpr int window = 2;

/// Segments of a worker that are on their way or not yet summed: as the server takes them in turn, more would
/// only pile up in its memory.
constexpr int ahead = 8;

}  // namespace

/// Terms are received one after the other: segment by segment, and within one rank by rank.
class Central::AtServer : public Sum {
 public:
  AtServer(Central& central, std::uint64_t id, Values data)
      : Sum(id),
        central_(central),
        tag_(tag_of(id)),
        workers_(central.transport_->size() - 1),
        data_(data),
        segments_(workers_ > 0 ? central.segments_of(data) : 0) {}

  bool done() const override { return added_ == terms() && sends_.empty(); }
  bool advance() override {
    bool moved = central_.take_first(sends_);
    for (; posted_ < std::min(terms(), added_ + window); ++posted_)
      receives_.push_back(
          central_.transport_->start_receive(worker(posted_), tag_, segment(posted_), Arrival::add));
    if (central_.take_first(receives_)) {
      if (worker(added_) == workers_) send_back(segment(added_));
      ++added_;
      moved = true;
    }
    return moved;
  }

 private:
  int terms() const { return segments_ * workers_; }
  int worker(int term) const { return 1 + term % workers_; }
  Values segment(int term) const { return data_.part(segments_, term / workers_); }
  void send_back(Values sum) {
    for (int to = 1; to <= workers_; ++to) sends_.push_back(central_.send(to, tag_, sum));
  }

  Central& central_;
  int tag_, workers_;
  Values data_;
  int segments_;
  int posted_ = 0, added_ = 0;
  std::deque<Transport::Request> receives_, sends_;
};

class Central::AtWorker : public Sum {
 public:
  AtWorker(Central& central, std::uint64_t id, Values data)
      : Sum(id), central_(central), tag_(tag_of(id)), data_(data), segments_(central.segments_of(data)) {}

  bool done() const override { return summed_ == segments_; }
  bool advance() override {
    bool moved = central_.take_first(receives_);
    if (moved) ++summed_;
    for (; sent_ < std::min(segments_, summed_ + ahead); ++sent_)
      sends_.push_back(central_.send(server, tag_, data_.part(segments_, sent_)));
    if (central_.take_first(sends_)) {
      // The sum takes the place of the segment that has left.
      const Values place = data_.part(segments_, posted_++);
      receives_.push_back(central_.transport_->start_receive(server, tag_, place, Arrival::store));
      moved = true;
    }
    return moved;
  }

 private:
  Central& central_;
  int tag_;
  Values data_;
  int segments_, sent_ = 0, posted_ = 0, summed_ = 0;
  std::deque<Transport::Request> receives_, sends_;
};

Central::Central(std::unique_ptr<Transport> transport, std::size_t chunk_bytes)
    : SumQueue(std::move(transport), chunk_bytes) {}

std::optional<Cost> Central::cost(Values data) const {
  const int size = transport_->size();
  if (size == 1 || data.empty()) return Cost{};
  const int messages = transport_->rank() == server ? size - 1 : 1;
  return Cost{.steps = 2, .bytes_sent = static_cast<std::int64_t>(data.size_bytes()) * messages};
}

std::unique_ptr<SumQueue::Sum> Central::make_sum(std::uint64_t id, Values data) {
  if (transport_->size() > 1 && !data.empty()) spent_.steps += 2;
  if (transport_->rank() == server) return std::make_unique<AtServer>(*this, id, data);
  return std::make_unique<AtWorker>(*this, id, data);
}

Transport::Request Central::send(int to, int tag, Values data) {
  spent_.bytes_sent += static_cast<std::int64_t>(data.size_bytes());
  return transport_->start_send(to, tag, data);
}

bool Central::take_first(std::deque<Transport::Request>& requests) {
  if (requests.empty() || !transport_->test(requests.front())) return false;
  requests.pop_front();
  return true;
}

}  // namespace whorl::collective
