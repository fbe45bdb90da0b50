// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/cores.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace whorl::mpi {
namespace {

TEST(Cores, RangesAreWrittenShort) {
  EXPECT_EQ(ranges_text({}), "");
  EXPECT_EQ(ranges_text({4}), "4");
  EXPECT_EQ(ranges_text({0, 1, 2, 3, 8, 10, 11}), "0-3,8,10-11");
  EXPECT_FALSE(bound_cpus().empty());
}

TEST(Cores, AreSharedOutAmongTheRanksOfANode) {
  const Communicator world = Communicator::world();
  const int cores = cores_of_this_rank(world);
  EXPECT_GE(cores, 1);
  EXPECT_LE(cores, std::max(1, static_cast<int>(bound_cpus().size()) / world.size()))
      << "the test ranks are not bound to cores";
}

TEST(Cores, AreAsManyThreadsAsTheUserDoesNotSay) {
  const Communicator world = Communicator::world();
  ASSERT_EQ(unsetenv("OMP_NUM_THREADS"), 0);
  EXPECT_EQ(default_threads(world), cores_of_this_rank(world));
  ASSERT_EQ(setenv("OMP_NUM_THREADS", "7", 1), 0);
  EXPECT_EQ(default_threads(world), 7);
  ASSERT_EQ(unsetenv("OMP_NUM_THREADS"), 0);
}

}  // namespace
}  // namespace whorl::mpi
