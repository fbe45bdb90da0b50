// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/latencies.hpp"

#include <gtest/gtest.h>

namespace whorl::readbench {
namespace {

TEST(Latencies, GivesPercentilesWithinAStep) {
  Latencies latencies;
  for (int i = 1; i <= 1000; ++i) latencies.add(i * 1e-6, 1);
  EXPECT_NEAR(latencies.percentile(0.5), 500e-6, 500e-6 * 0.022);
  EXPECT_NEAR(latencies.percentile(0.9), 900e-6, 900e-6 * 0.022);
  EXPECT_NEAR(latencies.percentile(0.99), 990e-6, 990e-6 * 0.022);
}

TEST(Latencies, WeighsByPictures) {
  Latencies latencies;
  latencies.add(1e-3, 99);
  latencies.add(1, 1);
  EXPECT_NEAR(latencies.percentile(0.99), 1e-3, 2.2e-5);
  EXPECT_NEAR(latencies.percentile(1), 1, 0.022);
}

TEST(Latencies, TakesAnything) {
  Latencies latencies;
  EXPECT_EQ(latencies.percentile(0.5), 0);
  latencies.add(0, 1);
  EXPECT_LT(latencies.percentile(1), 1.1e-8);
  latencies.add(1e9, 1);
  EXPECT_GT(latencies.percentile(1), 1e3);
}

}  // namespace
}  // namespace whorl::readbench
