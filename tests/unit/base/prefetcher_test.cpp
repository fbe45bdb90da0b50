// SPDX-License-Identifier: BSD-3-Clause
#include "base/prefetcher.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

#include "support/thrown_message.hpp"

namespace whorl {
namespace {

TEST(Prefetcher, HandsOutEveryItemInOrder) {
  for (const int depth : {1, 2, 7, 100}) {
    int made = 0;
    Prefetcher<std::vector<int>> prefetcher(depth, [&](std::vector<int>& item) {
      item.assign(1, made);
      return made++ < 20;
    });
    for (int i = 0; i < 20; ++i) {
      const std::vector<int>* item = prefetcher.next();
      ASSERT_NE(item, nullptr);
      EXPECT_EQ(item->at(0), i);
    }
    EXPECT_EQ(prefetcher.next(), nullptr);
    EXPECT_EQ(prefetcher.next(), nullptr);
  }
}

TEST(Prefetcher, GoesNoFurtherAheadThanItsDepth) {
  std::atomic<int> made = 0;
  Prefetcher<int> prefetcher(3, [&](int& item) {
    item = made++;
    return true;
  });
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(*prefetcher.next(), i);
    EXPECT_LE(made, i + 4);  // the one handed out, and three
  }
}

TEST(Prefetcher, CountsStalls) {
  std::promise<void> go;
  Prefetcher<int> prefetcher(1, [gate = go.get_future().share()](int&) {
    gate.wait();
    return true;
  });
  std::jthread opener([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    go.set_value();
  });
  prefetcher.next();
  EXPECT_EQ(prefetcher.stalls().count, 1);
  EXPECT_GT(prefetcher.stalls().seconds, 0);
}

TEST(Prefetcher, ThrowsAfterWhatWasWhole) {
  int made = 0;
  Prefetcher<int> prefetcher(10, [&](int& item) {
    require(made < 4, "nothing after {}", made);
    item = made++;
    return true;
  });
  for (int i = 0; i < 4; ++i) EXPECT_EQ(*prefetcher.next(), i);
  for (int attempt = 0; attempt < 2; ++attempt)
    EXPECT_EQ(test::thrown_message<Error>([&] { prefetcher.next(); }), "nothing after 4");
}

TEST(Prefetcher, RefusesNoDepth) {
  EXPECT_THROW(Prefetcher<int>(0, [](int&) { return false; }), Error);
}

}  // namespace
}  // namespace whorl
