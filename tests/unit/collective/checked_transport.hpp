// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <utility>

#include "collective/transport.hpp"

namespace whorl::collective {

/// What went through a CheckedTransport.
struct Traffic {
  std::int64_t messages = 0, bytes = 0;
  std::size_t largest = 0;  // bytes
};

/// Passes everything on, counts it, and holds the user to the rules of MPI: no buffer may be received into
/// while another open request uses it (but several may add to it), nor sent while it is received into. It is
/// also slow to admit that requests are complete, at random, so that more orders of events are met than a
/// quiet machine would show.
class CheckedTransport : public Transport {
 public:
  CheckedTransport(std::unique_ptr<Transport> inner, Traffic& traffic)
      : inner_(std::move(inner)), traffic_(traffic), random_(static_cast<unsigned>(inner_->rank())) {}

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }

  std::byte* allocate(std::size_t bytes) override { return inner_->allocate(bytes); }

  Request start_send(int to, int tag, Values data) override {
    for (const auto& [request, other] : open_)
      EXPECT_FALSE(other.use != Use::sent && overlap(other.data, data)) << "sends what is being received";
    ++traffic_.messages;
    traffic_.bytes += static_cast<std::int64_t>(data.size_bytes());
    traffic_.largest = std::max(traffic_.largest, data.size_bytes());
    return opened(inner_->start_send(to, tag, data), {data, Use::sent});
  }

  Request start_receive(int from, int tag, Values into, Arrival arrival) override {
    const Use use = arrival == Arrival::add ? Use::added_to : Use::stored_to;
    for (const auto& [request, other] : open_) {
      EXPECT_FALSE(overlap(other.data, into) && (use != Use::added_to || other.use != Use::added_to))
          << "receives into a buffer in use";
    }
    return opened(inner_->start_receive(from, tag, into, arrival), {into, use});
  }

  bool test(Request request) override {
    if (random_() % 2 == 0 || !inner_->test(request)) return false;
    EXPECT_EQ(open_.erase(request), 1) << "asks for a request that is gone";
    return true;
  }

  void idle() override { inner_->idle(); }

 private:
  enum class Use { sent, stored_to, added_to };
  struct Buffer {
    Values data;
    Use use;
  };
  static bool overlap(Values a, Values b) {
    return a.data() < b.data() + b.size_bytes() && b.data() < a.data() + a.size_bytes();
  }
  Request opened(Request request, Buffer buffer) {
    open_.emplace(request, buffer);
    return request;
  }

  std::unique_ptr<Transport> inner_;
  Traffic& traffic_;
  std::minstd_rand random_;
  std::map<Request, Buffer> open_;
};

}  // namespace whorl::collective
