// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/phase_timer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "mpi/session.hpp"

namespace whorl::mpi {
namespace {

TEST(phase_timer, reduces_over_the_ranks) {
  const Communicator world = Communicator::world();
  const int n = world.size();
  PhaseTimer timer({"read", "idle"});
  timer.add(0, world.rank() + 1.0);  // 1, 2, ... n seconds
  timer.add(0, 0.5);
  const std::vector<PhaseStatistics> phases = timer.reduce(world);
  ASSERT_EQ(phases.size(), 2U);
  EXPECT_EQ(phases[0].name, "read");
  EXPECT_EQ(phases[0].min, 1.5);
  EXPECT_EQ(phases[0].max, n + 0.5);
  EXPECT_DOUBLE_EQ(phases[0].mean, (n + 1) / 2.0 + 0.5);
  EXPECT_NEAR(phases[0].standard_deviation, std::sqrt((n * n - 1) / 12.0), 1e-12);
  EXPECT_EQ(phases[0].slowest_rank, n - 1);
  EXPECT_EQ(phases[0].slowest_host, host_name());
  ASSERT_EQ(static_cast<int>(phases[0].per_rank.size()), n);
  for (int rank = 0; rank < n; ++rank)
    EXPECT_EQ(phases[0].per_rank[static_cast<std::size_t>(rank)], rank + 1.5);
  EXPECT_EQ(phases[1].name, "idle");
  EXPECT_EQ(phases[1].max, 0.0);
}

TEST(phase_timer, equal_times_have_their_mean) {
  PhaseTimer timer({"wait"});
  timer.add(0, 0.41747632599999995);  // three of them add up to less than three times as much
  const PhaseStatistics wait = timer.reduce(Communicator::world()).at(0);
  EXPECT_EQ(wait.mean, wait.min);
  EXPECT_EQ(wait.mean, wait.max);
}

TEST(phase_timer, measures_scopes) {
  PhaseTimer timer({"outer", "inner"});
  {
    const auto outer = timer.measure(0);
    for (int i = 0; i < 2; ++i) {
      const auto inner = timer.measure(1);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  EXPECT_GE(timer.seconds(1), 0.010);
  EXPECT_GE(timer.seconds(0), timer.seconds(1));
  timer.reset();
  EXPECT_EQ(timer.seconds(0), 0.0);
  EXPECT_EQ(timer.seconds(1), 0.0);
}

}  // namespace
}  // namespace whorl::mpi
