// SPDX-License-Identifier: BSD-3-Clause
#include "base/file_lock.hpp"

#include <gtest/gtest.h>

#include <thread>

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
    EXPECT_TRUE(FileLock::is_held(path, std::chrono::seconds(0)));
    EXPECT_EQ(FileLock::take(path, std::chrono::seconds(0)), nullptr);
  }
  EXPECT_FALSE(FileLock::is_held(path));
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_NE(FileLock::take(path), nullptr);
}

TEST(FileLock, IsWaitedFor) {
  const test::TemporaryFolder folder;
  auto first = FileLock::take(folder / "lock");
  std::jthread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    first.reset();
  });
  EXPECT_NE(FileLock::take(folder / "lock"), nullptr);
}

TEST(FileLock, NamesAPlaceWhereNoneCanBeMade) {
  EXPECT_THROW(FileLock::take("/nonexistent/lock"), Error);
}

}  // namespace
}  // namespace whorl
