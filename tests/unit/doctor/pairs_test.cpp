// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/pairs.hpp"

#include <gtest/gtest.h>

#include <set>
#include <utility>

namespace whorl::doctor {
namespace {

TEST(Pairs, EverybodyMeetsEverybodyOnce) {
  for (int players = 2; players <= 9; ++players) {
    std::set<std::pair<int, int>> met;
    for (int round = 0; round < rounds_of(players); ++round) {
      for (int player = 0; player < players; ++player) {
        const int other = opponent(player, players, round);
        if (other < 0) continue;
        ASSERT_NE(other, player);
        ASSERT_LT(other, players);
        ASSERT_EQ(opponent(other, players, round), player) << players << " players, round " << round;
        if (player < other) {
          ASSERT_TRUE(met.emplace(player, other).second) << "twice";
        }
      }
    }
    EXPECT_EQ(met.size(), static_cast<std::size_t>(players * (players - 1) / 2)) << players << " players";
  }
  EXPECT_EQ(opponent(0, 1, 0), -1);
}

}  // namespace
}  // namespace whorl::doctor
