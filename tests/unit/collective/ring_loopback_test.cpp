// SPDX-License-Identifier: BSD-3-Clause
// The ring over ranks that are threads. As in an MPI job, an exception on one rank ends the whole process.
#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <thread>

#include "base/error.hpp"
#include "checked_transport.hpp"
#include "collective/loopback_transport.hpp"
#include "collective/ring.hpp"
#include "support/exact_sums.hpp"

namespace whorl::collective {
namespace {

using test::expect_sums;
using test::terms;

struct Rank {
  int rank;
  Ring& ring;
  Traffic& traffic;
};

/// Runs `body` on `size` ranks at once, each with its ring.
void on_ranks(int size, std::size_t chunk_bytes, const std::function<void(const Rank&)>& body) {
  std::vector<std::unique_ptr<Transport>> transports = make_loopback_transports(size);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      Traffic traffic;
      Ring ring(
          std::make_unique<CheckedTransport>(std::move(transports[static_cast<std::size_t>(rank)]), traffic),
          chunk_bytes);
      body({rank, ring, traffic});
    });
  }
  for (std::thread& thread : threads) thread.join();
}

/// From one float, through a few, to more than any block here. Tiny ones only where they do not mean
/// thousands of messages.
std::vector<std::size_t> chunk_sizes(std::size_t count) {
  if (count > 2000) return {1000, 4096, 1 << 20};
  return {4, 12, 128, 1 << 20};
}

class RingLoopback : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Ranks, RingLoopback, testing::Range(1, 10));

TEST_P(RingLoopback, SumsAnyLengthExactlyWithAnyChunkAtTheComputedCost) {
  const int size = GetParam();
  for (const std::size_t count : test::awkward_counts(size)) {
    for (const std::size_t chunk : chunk_sizes(count)) {
      SCOPED_TRACE(testing::Message() << count << " floats, chunks of " << chunk << " bytes");
      on_ranks(size, chunk, [&](const Rank& self) {
        std::vector<float> data = terms(count, self.rank, size, 0);
        self.ring.sum(data);
        expect_sums(data, size, 0);
        const Cost cost = self.ring.cost(count * sizeof(float)).value();
        EXPECT_EQ(cost.bytes_sent, self.traffic.bytes);
        EXPECT_EQ(cost.bytes_sent, self.ring.spent()->bytes_sent);
        EXPECT_EQ(cost.steps, self.ring.spent()->steps);
        EXPECT_EQ(cost.steps, count == 0 ? 0 : 2 * (size - 1));
        EXPECT_LE(self.traffic.largest, chunk);
      });
    }
  }
}

TEST_P(RingLoopback, SendsTheLeastAnAllReduceCan) {
  const int size = GetParam();
  const std::size_t count = 840 * static_cast<std::size_t>(size);
  on_ranks(size, 1000, [&](const Rank& self) {
    std::vector<float> data = terms(count, self.rank, size, 0);
    self.ring.sum(data);
    EXPECT_EQ(self.traffic.bytes, 2 * (size - 1) * 840 * 4);
    EXPECT_EQ(self.traffic.messages, 2 * (size - 1) * 4);  // 3,360 bytes in chunks of 1,000
  });
}

TEST_P(RingLoopback, SeveralSumsInFlightWaitedForInAnyOrder) {
  const int size = GetParam();
  constexpr std::size_t sums = 7;
  on_ranks(size, 64, [&](const Rank& self) {
    std::vector<std::vector<float>> buckets;
    std::vector<Ticket> tickets;
    for (std::size_t i = 0; i < sums; ++i) {
      buckets.push_back(terms(i == 3 ? 0 : 101 * i + 5, self.rank, size, static_cast<int>(i)));
    }
    for (std::vector<float>& bucket : buckets) {
      tickets.push_back(self.ring.start_sum(bucket));
      self.ring.progress();
    }
    // Every rank starts elsewhere, and goes the other way than the sums were started.
    for (std::size_t i = 0; i < sums; ++i) {
      const std::size_t which = (2 * sums - i - static_cast<std::size_t>(self.rank) % sums) % sums;
      self.ring.wait(tickets[which]);
      expect_sums(buckets[which], size, static_cast<int>(which));
    }
  });
}

TEST_P(RingLoopback, ManySumsOneAfterTheOther) {
  const int size = GetParam();
  on_ranks(size, 64, [&](const Rank& self) {
    for (int i = 0; i < 50; ++i) {
      std::vector<float> data = terms(static_cast<std::size_t>(3 * i), self.rank, size, i);
      self.ring.sum(data);
      expect_sums(data, size, i);
    }
  });
}

TEST(RingLoopbackAlone, OneRankSendsNothing) {
  on_ranks(1, 64, [](const Rank& self) {
    std::vector<float> data = {1.5F, -2.0F, 3.25F};
    self.ring.sum(data);
    EXPECT_EQ(data, (std::vector<float>{1.5F, -2.0F, 3.25F}));
    EXPECT_EQ(self.traffic.messages, 0);
  });
}

TEST(RingLoopbackAlone, RejectsAChunkThatHoldsNoFloat) {
  EXPECT_THROW(Ring(std::move(make_loopback_transports(1).front()), 3), Error);
}

}  // namespace
}  // namespace whorl::collective
