// SPDX-License-Identifier: BSD-3-Clause
#include "base/file_lock.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/temporary_folder.hpp"

namespace whorl {
namespace {

TEST(FileLock, IsHeldByOneAtATime) {
  const test::TemporaryFolder folder;
  const auto path = folder / "lock";
  EXPECT_FALSE(FileLock::is_held(path));
  EXPECT_FALSE(std::filesystem::exists(path));
  {
    const auto first = FileLock::take(path);
    ASSERT_NE(first, nullptr);
    EXPECT_TRUE(FileLock::is_held(path));
    EXPECT_EQ(FileLock::take(path), nullptr);
  }
  EXPECT_FALSE(FileLock::is_held(path));
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_NE(FileLock::take(path), nullptr);
}

TEST(FileLock, NamesAPlaceWhereNoneCanBeMade) {
  EXPECT_THROW(FileLock::take("/nonexistent/lock"), Error);
}

}  // namespace
}  // namespace whorl
