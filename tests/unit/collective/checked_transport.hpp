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
/// while another open request uses it, nor sent while it is received into. It is also slow to admit that
/// requests are complete, at random, so that more orders of events are met than a quiet machine would show.
class CheckedTransport : public Transport {
 public:
  CheckedTransport(std::unique_ptr<Transport> inner, Traffic& traffic)
      : inner_(std::move(inner)), traffic_(traffic), random_(static_cast<unsigned>(inner_->rank())) {}

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }

  Request start_send(int to, int tag, std::span<const std::byte> data) override {
    for (const auto& [request, other] : open_)
      EXPECT_FALSE(other.written && overlap(other.data, data)) << "sends what is being received";
    ++traffic_.messages;
    traffic_.bytes += static_cast<std::int64_t>(data.size_bytes());
    traffic_.largest = std::max(traffic_.largest, data.size_bytes());
    return opened(inner_->start_send(to, tag, data), {data, false});
  }

  Request start_receive(int from, int tag, std::span<std::byte> data) override {
    for (const auto& [request, other] : open_)
      EXPECT_FALSE(overlap(other.data, data)) << "receives into a buffer in use";
    return opened(inner_->start_receive(from, tag, data), {data, true});
  }

  bool test(Request request) override {
    if (random_() % 2 == 0 || !inner_->test(request)) return false;
    EXPECT_EQ(open_.erase(request), 1) << "asks for a request that is gone";
    return true;
  }

  void idle() override { inner_->idle(); }

 private:
  struct Buffer {
    std::span<const std::byte> data;
    bool written;
  };
  static bool overlap(std::span<const std::byte> a, std::span<const std::byte> b) {
    return a.data() < b.data() + b.size() && b.data() < a.data() + a.size();
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
