// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpu/device.hpp"

namespace whorl::gpu {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Architecture, OlderThanTheBuildsIsNamed) {
  EXPECT_EQ(unsupported_architecture("A100", 80, 80), "");
  EXPECT_EQ(unsupported_architecture("H100", 90, 80), "");
  EXPECT_THAT(unsupported_architecture("Tesla T4", 75, 80),
              AllOf(HasSubstr("Tesla T4 has compute capability 7.5"), HasSubstr("for 8.0 and later"),
                    HasSubstr("ARCHITECTURES=75")));
}

}  // namespace
}  // namespace whorl::gpu
