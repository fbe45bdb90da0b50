// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/heartbeat.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace whorl::mpi {
namespace {

struct Connection {
  Listener listener;
  std::optional<Link> here = Link::connect("127.0.0.1", listener.port()), there = listener.accept();
};

std::vector<Heartbeat> all_received(Link& link) {
  std::vector<Heartbeat> all;
  for (int tries = 0; tries < 500 && !link.is_broken(); ++tries) {
    for (const Heartbeat& one : link.receive()) all.push_back(one);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return all;
}

TEST(heartbeat, arrives_with_its_activity) {
  Connection connection;
  ASSERT_TRUE(connection.here && connection.there);
  Heartbeat sent{.rank = 3};
  sent.set_activity("all-reduce, step 12");
  connection.here->send(sent);
  connection.here.reset();
  const std::vector<Heartbeat> received = all_received(*connection.there);
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].rank, 3);
  EXPECT_EQ(received[0].activity_text(), "all-reduce, step 12");
  EXPECT_TRUE(connection.there->is_broken());
}

// A rank that ends the job says so and ends at once, often with a heartbeat of the other side unread: the
// system then resets the connection and drops what it holds back (Nagle), and the others would take the rank
// for lost.
TEST(heartbeat, last_word_arrives_before_the_connection_is_reset) {
  Connection connection;
  ASSERT_TRUE(connection.here && connection.there);
  constexpr int exchanged = 50;  // by then the system acknowledges late
  for (int i = 0; i < exchanged; ++i) {
    connection.here->send({.kind = Heartbeat::Kind::alive});
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    connection.there->receive();
  }
  connection.there->send({.kind = Heartbeat::Kind::alive});
  connection.here->send({.kind = Heartbeat::Kind::alive});
  connection.here->send({.kind = Heartbeat::Kind::ending});
  connection.here.reset();
  const std::vector<Heartbeat> received = all_received(*connection.there);
  ASSERT_EQ(received.size(), 2U);
  EXPECT_EQ(received[1].kind, Heartbeat::Kind::ending);
}

}  // namespace
}  // namespace whorl::mpi
