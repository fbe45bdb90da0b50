// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpu/device.hpp"

namespace whorl::gpu {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(SharedGpu, EqualBusIdsOfDifferentHostsAreDifferentGpus) {
  EXPECT_THAT(shared_gpu({}), IsEmpty());
  EXPECT_THAT(shared_gpu({{"a", "01"}, {"a", "02"}, {"b", "01"}, {"b", "02"}}), IsEmpty());
}

TEST(SharedGpu, BothRanksAreNamed) {
  const std::string message = shared_gpu({{"a", "01"}, {"b", "01"}, {"a", "02"}, {"b", "01"}});
  EXPECT_THAT(message, HasSubstr("ranks 1 and 3 would share the GPU 01 of b"));
  EXPECT_THAT(message, HasSubstr("share_gpu"));
}

}  // namespace
}  // namespace whorl::gpu
