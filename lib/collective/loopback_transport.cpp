// SPDX-License-Identifier: BSD-3-Clause
#include "collective/loopback_transport.hpp"

#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>
#include <utility>

#include "base/error.hpp"

namespace whorl::collective {
namespace {

struct Message {
  Values data;
  bool delivered = false;
};

/// Messages from one rank to another with one tag. The n-th receive takes the n-th message.
struct Channel {
  std::deque<std::shared_ptr<Message>> arrived;
  std::uint64_t taken = 0, receives = 0;
};

/// What the ranks share; `mutex` guards all of it, and the copying of data from rank to rank.
struct Group {
  std::mutex mutex;
  std::map<std::tuple<int, int, int>, Channel> channels;  // by from, to, tag
};

class LoopbackTransport : public Transport {
 public:
  LoopbackTransport(std::shared_ptr<Group> group, int rank, int size)
      : group_(std::move(group)), rank_(rank), size_(size) {}

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  std::byte* allocate(std::size_t) override { return nullptr; }

  Request start_send(int to, int tag, Values data) override {
    // As in MPI, a send without data may be complete before anybody asks for it.
    auto message = std::make_shared<Message>(Message{data, data.empty()});
    const std::scoped_lock lock(group_->mutex);
    group_->channels[{rank_, to, tag}].arrived.push_back(message);
    sends_.emplace(next_, std::move(message));
    return next_++;
  }

  Request start_receive(int from, int tag, Values into, Arrival arrival) override {
    const std::scoped_lock lock(group_->mutex);
    Channel& channel = group_->channels[{from, rank_, tag}];
    receives_.emplace(next_, Receive{&channel, channel.receives++, into, arrival});
    return next_++;
  }

  bool test(Request request) override {
    const std::scoped_lock lock(group_->mutex);
    if (const auto send = sends_.find(request); send != sends_.end()) {
      if (!send->second->delivered) return false;
      sends_.erase(send);
      return true;
    }
    const auto receive = receives_.find(request);
    require(receive != receives_.end(), "loopback: request {} of rank {} is not open", request, rank_);
    if (!deliver(receive->second)) return false;
    receives_.erase(receive);
    return true;
  }

  void idle() override { std::this_thread::yield(); }

 private:
  struct Receive {
    Channel* channel;
    std::uint64_t number;
    Values into;
    Arrival arrival;
  };

  /// Takes the message meant for `receive`, if it is there. Receives of one channel are tested in the order
  /// they were started.
  static bool deliver(const Receive& receive) {
    Channel& channel = *receive.channel;
    if (channel.taken != receive.number || channel.arrived.empty()) return false;
    Message& message = *channel.arrived.front();
    require(message.data.size() == receive.into.size(), "loopback: {} numbers for a place of {}",
            message.data.size(), receive.into.size());
    arrive(message.data, receive.into, receive.arrival);
    message.delivered = true;
    channel.arrived.pop_front();
    ++channel.taken;
    return true;
  }

  std::shared_ptr<Group> group_;
  int rank_, size_;
  Request next_ = 0;
  std::map<Request, std::shared_ptr<Message>> sends_;
  std::map<Request, Receive> receives_;
};

}  // namespace

std::vector<std::unique_ptr<Transport>> make_loopback_transports(int size) {
  auto group = std::make_shared<Group>();
  std::vector<std::unique_ptr<Transport>> transports;
  for (int rank = 0; rank < size; ++rank)
    transports.push_back(std::make_unique<LoopbackTransport>(group, rank, size));
  return transports;
}

}  // namespace whorl::collective
