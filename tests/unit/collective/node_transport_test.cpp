// SPDX-License-Identifier: BSD-3-Clause
// Messages between ranks that share memory: two ranks of one node, and one of another.
#include "collective/node_transport.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "checked_transport.hpp"
#include "collective/loopback_node_memory.hpp"
#include "collective/loopback_transport.hpp"

namespace whorl::collective {
namespace {

using Numbers = std::vector<std::int64_t>;
constexpr int tag = 3;

class OnANode : public testing::Test {
 protected:
  OnANode() {
    auto messages = make_loopback_transports(3);
    auto memory = make_loopback_node(2);
    const std::vector<std::optional<int>> node_ranks{0, 1, {}};
    for (std::size_t rank = 0; rank < 2; ++rank) {
      auto checked = std::make_unique<CheckedTransport>(std::move(messages[rank]), traffic[rank]);
      ranks[rank] =
          std::make_unique<NodeTransport>(std::move(checked), std::move(memory[rank]), node_ranks, 8);
    }
    far = std::move(messages[2]);
    std::thread other([&] { shared[1] = allocate(1); });
    shared[0] = allocate(0);
    other.join();
  }
  Values allocate(std::size_t rank) { return {Element::int64, ranks[rank]->allocate(80), 10}; }

  static void fill(Values data, std::int64_t first) {
    for (std::size_t i = 0; i < data.size(); ++i) at(data, i) = first + static_cast<std::int64_t>(i);
  }
  static std::int64_t& at(Values data, std::size_t i) {
    return reinterpret_cast<std::int64_t*>(data.data())[i];
  }
  static Numbers numbers(Values data) { return {&at(data, 0), &at(data, 0) + data.size()}; }
  static void finish(Transport& transport, Transport::Request request) {
    while (!transport.test(request)) {
    }
  }
  /// A few turns are enough for whatever can complete by itself.
  static bool completes(Transport& transport, Transport::Request request) {
    for (int turn = 0; turn < 100; ++turn)
      if (transport.test(request)) return true;
    return false;
  }

  std::array<Traffic, 2> traffic;
  std::array<std::unique_ptr<Transport>, 2> ranks;
  std::unique_ptr<Transport> far;
  std::array<Values, 2> shared;
};

TEST_F(OnANode, WhatLiesInSharedMemoryIsReadThere) {
  fill(shared[0], 100);
  fill(shared[1], 7);
  const auto send = ranks[0]->start_send(1, tag, shared[0].subspan(2, 3));
  finish(*ranks[1], ranks[1]->start_receive(0, tag, shared[1].subspan(2, 3), Arrival::add));
  finish(*ranks[0], send);
  EXPECT_EQ(numbers(shared[1]), (Numbers{7, 8, 111, 113, 115, 12, 13, 14, 15, 16}));

  const auto again = ranks[0]->start_send(1, tag, shared[0].subspan(5, 2));
  finish(*ranks[1], ranks[1]->start_receive(0, tag, shared[1].subspan(5, 2), Arrival::store));
  finish(*ranks[0], again);
  EXPECT_EQ(numbers(shared[1]), (Numbers{7, 8, 111, 113, 115, 105, 106, 14, 15, 16}));
  EXPECT_EQ(traffic[0].bytes + traffic[1].bytes, 0);
}

TEST_F(OnANode, ASendIsNotCompleteBeforeItsDataHaveBeenRead) {
  const auto send = ranks[0]->start_send(1, tag, shared[0]);
  EXPECT_FALSE(completes(*ranks[0], send));
  const auto receive = ranks[1]->start_receive(0, tag, shared[1], Arrival::store);
  EXPECT_FALSE(completes(*ranks[0], send)) << "received, but not yet asked for";
  finish(*ranks[1], receive);
  EXPECT_TRUE(completes(*ranks[0], send));
}

TEST_F(OnANode, SmallMessagesAndThoseFromElsewhereCarryTheirData) {
  fill(shared[0], 100);
  finish(*ranks[1], (ranks[0]->start_send(1, tag, shared[0].part(10, 4)),
                     ranks[1]->start_receive(0, tag, shared[1].part(10, 4), Arrival::add)));
  EXPECT_EQ(numbers(shared[1]), (Numbers{0, 0, 0, 0, 104, 0, 0, 0, 0, 0}));

  Numbers from{1, 2, 3}, into{10, 20, 30};
  finish(*ranks[1], (ranks[0]->start_send(1, tag, std::span(from)),
                     ranks[1]->start_receive(0, tag, std::span(into), Arrival::add)));
  EXPECT_EQ(into, (Numbers{11, 22, 33}));
  EXPECT_EQ(traffic[0].bytes, 8 + 24);
}

TEST_F(OnANode, OtherNodesGetMessages) {
  fill(shared[0], 100);
  Numbers into(10);
  finish(*far, (ranks[0]->start_send(2, tag, shared[0]),
                far->start_receive(0, tag, std::span(into), Arrival::store)));
  EXPECT_EQ(into, numbers(shared[0]));
  EXPECT_EQ(traffic[0].bytes, 80);
}

}  // namespace
}  // namespace whorl::collective
