// SPDX-License-Identifier: BSD-3-Clause
// Every algorithm over ranks that are threads.
#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <thread>
#include <tuple>

#include "base/block_range.hpp"
#include "base/error.hpp"
#include "collective/loopback_node_memory.hpp"
#include "collective/loopback_transport.hpp"
#include "collective/ring.hpp"
#include "collective/shared.hpp"
#include "loopback_ranks.hpp"
#include "support/exact_sums.hpp"

namespace whorl::collective {
namespace {

using test::expect_sums;
using test::terms;

/// From one number, through a few, to more than any block here. Tiny ones only where they do not mean
/// thousands of messages.
std::vector<std::size_t> chunk_sizes(std::size_t count) {
  if (count > 2000) return {1000, 4096, 1 << 20};
  return {4, 24, 128, 1 << 20};
}

class Loopback : public testing::TestWithParam<std::tuple<std::string, int>> {
 protected:
  const int size = std::get<1>(GetParam());
  Arrangement arrangement(std::size_t chunk_bytes) const {
    return {.algorithm = std::get<0>(GetParam()), .ranks = size, .chunk_bytes = chunk_bytes};
  }

  /// Sums in a buffer of the rank's own, and in one that the all-reduce has allocated.
  template <typename T>
  void expect_exact_sums(const Rank& self, std::size_t count) const {
    std::vector<T> own = terms<T>(count, self.rank, size, 0);
    expect_sums_at_cost(self, std::span(own), 0);
    const std::span<T> allocated = self.all_reduce.allocate<T>(count + 3).subspan(3);
    test::fill_terms(allocated, self.rank, size, 1);
    expect_sums_at_cost(self, allocated, 1);
  }

 private:
  template <typename T>
  void expect_sums_at_cost(const Rank& self, std::span<T> data, int salt) const {
    const Cost cost = self.all_reduce.cost(data).value(), before = self.all_reduce.spent().value();
    self.all_reduce.sum(data);
    expect_sums(data, size, salt);
    const Cost after = self.all_reduce.spent().value();
    EXPECT_EQ(cost.bytes_sent, after.bytes_sent - before.bytes_sent);
    EXPECT_EQ(cost.steps, after.steps - before.steps);
  }
};
INSTANTIATE_TEST_SUITE_P(Algorithms, Loopback,
                         testing::Combine(testing::ValuesIn(loopback_algorithms()), testing::Range(1, 10)),
                         [](const auto& tested) {
                           return std::get<0>(tested.param) + std::to_string(std::get<1>(tested.param));
                         });

TEST_P(Loopback, SumsAnyLengthExactlyWithAnyChunkAtTheComputedCost) {
  for (const std::size_t count : test::awkward_counts(size)) {
    for (const std::size_t chunk : chunk_sizes(count)) {
      SCOPED_TRACE(testing::Message() << count << " numbers, chunks of " << chunk << " bytes");
      on_ranks(arrangement(chunk), [&](const Rank& self) {
        expect_exact_sums<float>(self, count);
        expect_exact_sums<std::int64_t>(self, count);
        EXPECT_LE(self.traffic.largest, std::max(chunk, sizeof(std::int64_t)));
      });
    }
  }
}

TEST_P(Loopback, SeveralSumsInFlightWaitedForInAnyOrder) {
  constexpr std::size_t sums = 7;
  on_ranks(arrangement(64), [&](const Rank& self) {
    std::vector<std::vector<float>> buckets;
    std::vector<Ticket> tickets;
    const std::span<std::int64_t> arena = self.all_reduce.allocate<std::int64_t>(sums * 50);
    for (std::size_t i = 0; i < sums; ++i) {
      buckets.push_back(terms(i == 3 ? 0 : 101 * i + 5, self.rank, size, static_cast<int>(i)));
      test::fill_terms(arena.subspan(50 * i, 50), self.rank, size, static_cast<int>(i));
    }
    for (std::size_t i = 0; i < sums; ++i) {
      tickets.push_back(self.all_reduce.start_sum(std::span(buckets[i])));
      tickets.push_back(self.all_reduce.start_sum(arena.subspan(50 * i, 50)));
      self.all_reduce.progress();
    }
    // Every rank starts elsewhere, and goes the other way than the sums were started.
    for (std::size_t i = 0; i < sums; ++i) {
      const std::size_t which = (2 * sums - i - static_cast<std::size_t>(self.rank) % sums) % sums;
      self.all_reduce.wait(tickets[2 * which + 1]);
      expect_sums(arena.subspan(50 * which, 50), size, static_cast<int>(which));
      self.all_reduce.wait(tickets[2 * which]);
      EXPECT_TRUE(self.all_reduce.done(tickets[2 * which]));
      expect_sums(buckets[which], size, static_cast<int>(which));
    }
  });
}

TEST_P(Loopback, ManySumsOneAfterTheOtherInTheSameBuffer) {
  on_ranks(arrangement(64), [&](const Rank& self) {
    const std::span<float> buffer = self.all_reduce.allocate<float>(150);
    for (int i = 0; i < 50; ++i) {
      const std::span<float> data = buffer.first(static_cast<std::size_t>(3 * i));
      test::fill_terms(data, self.rank, size, i);
      self.all_reduce.sum(data);
      expect_sums(data, size, i);
    }
  });
}

TEST_P(Loopback, ASumIsNotDoneBeforeEveryRankHasStartedIt) {
  if (size == 1) GTEST_SKIP() << "one rank waits for nobody";
  on_ranks(arrangement(64), [&](const Rank& self) {
    std::vector<float> first = terms(10, self.rank, size, 0), second = terms(10, self.rank, size, 1);
    self.all_reduce.sum(std::span(first));
    if (self.rank != 0) {
      const Ticket ticket = self.all_reduce.start_sum(std::span(second));
      EXPECT_FALSE(self.all_reduce.done(ticket)) << "rank 0 starts it later";
      self.all_reduce.wait(ticket);
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      self.all_reduce.sum(std::span(second));
    }
    expect_sums(second, size, 1);
  });
}

TEST_P(Loopback, AllocatedMemoryIsZero) {
  on_ranks(arrangement(64), [&](const Rank& self) {
    for (const std::size_t count : {1, 100}) {
      const std::span<float> data = self.all_reduce.allocate<float>(count);
      EXPECT_EQ(std::accumulate(data.begin(), data.end(), 0.0F), 0.0F);
      std::fill(data.begin(), data.end(), 5.0F);
    }
  });
}

TEST(LoopbackInBackground, ASumIsDoneWithoutTheCaller) {
  on_ranks({.algorithm = "background", .ranks = 3}, [&](const Rank& self) {
    std::vector<float> data = terms(1000, self.rank, 3, 0);
    const Ticket ticket = self.all_reduce.start_sum(std::span(data));
    while (!self.all_reduce.done(ticket)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    expect_sums(data, 3, 0);
  });
}

class Bytes : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Ranks, Bytes, testing::Range(1, 10));

TEST_P(Bytes, ARingSendsTheLeastAnAllReduceCan) {
  const int size = GetParam();
  const std::size_t count = 840 * static_cast<std::size_t>(size);
  on_ranks({.algorithm = "ring", .ranks = size, .chunk_bytes = 1000}, [&](const Rank& self) {
    std::vector<float> data = terms(count, self.rank, size, 0);
    self.all_reduce.sum(std::span(data));
    EXPECT_EQ(self.traffic.bytes, 2 * (size - 1) * 840 * 4);
    EXPECT_EQ(self.traffic.messages, 2 * (size - 1) * 4);  // 3,360 bytes in chunks of 1,000
    EXPECT_EQ(self.all_reduce.spent()->bytes_sent, self.traffic.bytes);
  });
}

TEST_P(Bytes, ACentralRankSendsTheDataToEveryOther) {
  const int size = GetParam();
  on_ranks({.algorithm = "central", .ranks = size, .chunk_bytes = 1000}, [&](const Rank& self) {
    std::vector<float> data = terms(1000, self.rank, size, 0);
    self.all_reduce.sum(std::span(data));
    EXPECT_EQ(self.traffic.bytes, 4000 * (self.rank == 0 ? size - 1 : std::min(1, size - 1)));
  });
}

TEST_P(Bytes, ANodeSendsTheLeastThatNodesCan) {
  const int size = GetParam(), nodes = std::min(size, size < 6 ? 2 : 3), owners = size / nodes;
  if (size < 2) GTEST_SKIP() << "one rank is one node";
  on_ranks({.algorithm = "hierarchical", .ranks = size, .chunk_bytes = 1000}, [&](const Rank& self) {
    const auto data = self.all_reduce.allocate<float>(1680 * static_cast<std::size_t>(owners * nodes));
    test::fill_terms(data, self.rank, size, 0);
    self.all_reduce.sum(data);
    int rank_on_node = self.rank;
    for (int node = 0; rank_on_node >= block_range(size, nodes, node).size(); ++node)
      rank_on_node -= static_cast<int>(block_range(size, nodes, node).size());
    EXPECT_EQ(self.traffic.bytes, rank_on_node < owners ? 2 * (nodes - 1) * 1680 * 4 : 0);
  });
}

TEST(LoopbackAlone, OneRankSendsNothing) {
  for (const std::string& algorithm : loopback_algorithms()) {
    on_ranks({.algorithm = algorithm}, [](const Rank& self) {
      std::vector<float> data = {1.5F, -2.0F, 3.25F};
      self.all_reduce.sum(std::span(data));
      EXPECT_EQ(data, (std::vector<float>{1.5F, -2.0F, 3.25F}));
      EXPECT_EQ(self.traffic.messages, 0);
    });
  }
}

TEST(LoopbackAlone, RejectsAChunkThatHoldsNoFloat) {
  EXPECT_THROW(Ring(std::move(make_loopback_transports(1).front()), 3), Error);
}

TEST(LoopbackAlone, RejectsStagingThatHoldsNothing) {
  EXPECT_THROW(Shared(std::move(make_loopback_node(1).front()), nullptr, 1, 100), Error);
}

}  // namespace
}  // namespace whorl::collective
