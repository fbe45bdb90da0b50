// SPDX-License-Identifier: BSD-3-Clause
#include "base/thread_team.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>

namespace whorl {
namespace {

TEST(ThreadTeam, RunsEveryPieceOnAThreadOfItsOwn) {
  ThreadTeam team(3);
  std::barrier all_at_once(3);  // would wait for ever for work done one after the other
  std::vector<std::thread::id> threads(3);
  for (int round = 0; round < 100; ++round) {
    team.run(3, [&](int number) {
      all_at_once.arrive_and_wait();
      threads.at(static_cast<std::size_t>(number)) = std::this_thread::get_id();
    });
  }
  EXPECT_EQ(threads[0], std::this_thread::get_id());
  EXPECT_EQ(std::set(threads.begin(), threads.end()).size(), 3U);
}

TEST(ThreadTeam, LeavesThreadsOutThatHaveNoWork) {
  ThreadTeam team(4);
  for (const int count : {2, 4, 1, 3}) {
    std::vector<std::atomic<int>> calls(4);
    team.run(count, [&](int number) { ++calls.at(static_cast<std::size_t>(number)); });
    for (int number = 0; number < 4; ++number)
      EXPECT_EQ(calls[static_cast<std::size_t>(number)], number < count ? 1 : 0) << count;
  }
  EXPECT_ANY_THROW(team.run(5, [](int) {}));
}

TEST(ThreadTeam, TellsHowLongTheCallerWaitedForTheOthers) {
  using namespace std::chrono_literals;
  ThreadTeam team(2);
  const auto slow = [](int wanted) {
    return [=](int number) {
      if (number == wanted) std::this_thread::sleep_for(200ms);
    };
  };
  EXPECT_GT(team.run(2, slow(1)), 0.15);
  EXPECT_LT(team.run(2, slow(0)), 0.15);
  EXPECT_LT(team.run(1, slow(0)), 0.15);
}

TEST(ThreadTeam, RethrowsWhenAllHaveEnded) {
  ThreadTeam team(3);
  std::atomic<int> ended = 0;
  const auto fail = [&](int number) {
    ++ended;
    if (number > 0) throw std::runtime_error("piece " + std::to_string(number));
  };
  EXPECT_THAT([&] { team.run(3, fail); },
              testing::ThrowsMessage<std::runtime_error>(testing::StrEq("piece 1")));
  EXPECT_EQ(ended, 3);
  team.run(3, [&](int) { ++ended; });
  EXPECT_EQ(ended, 6);
}

TEST(ThreadTeam, LeavesSignalsToTheCaller) {
  ThreadTeam team(2);
  team.run(2, [](int number) {
    sigset_t blocked;
    ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &blocked), 0);
    EXPECT_EQ(sigismember(&blocked, SIGTERM), number == 0 ? 0 : 1);
    EXPECT_EQ(sigismember(&blocked, SIGBUS), 0);
  });
}

}  // namespace
}  // namespace whorl
