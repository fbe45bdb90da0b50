// SPDX-License-Identifier: BSD-3-Clause
#include "train/agreement.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "mpi/session.hpp"
#include "support/thrown_message.hpp"

namespace whorl::train {
namespace {

TEST(Agreement, EqualValuesPass) {
  EXPECT_NO_THROW(require_same_everywhere(mpi::Communicator::world(), "the weights", "same"));
}

TEST(Agreement, NamesTheRankThatDiffersFromMost) {
  const mpi::Communicator world = mpi::Communicator::world();
  if (world.size() == 1) GTEST_SKIP() << "one rank cannot differ from others";
  const int odd = world.size() == 2 ? 1 : world.size() - 2;
  const std::string message = test::thrown_message<CollectiveError>(
      [&] { require_same_everywhere(world, "the weights", world.rank() == odd ? "odd" : "usual"); });
  EXPECT_EQ(message, fmt::format("the weights must be the same on every rank, but 1 of {} ranks differ from "
                                 "usual: rank {} (host {}): odd",
                                 world.size(), odd, mpi::host_name()));
}

}  // namespace
}  // namespace whorl::train
