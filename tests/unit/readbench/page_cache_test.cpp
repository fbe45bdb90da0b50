// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/page_cache.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "support/temporary_folder.hpp"

namespace whorl::readbench {
namespace {

TEST(PageCache, IsDroppedAndFilled) {
  const test::TemporaryFolder folder;
  const std::vector<std::string> files{(folder / "a").string(), (folder / "b").string()};
  for (const std::string& file : files) std::ofstream(file) << std::string(1 << 20, 'x');
  EXPECT_EQ(residency(files).total, 2 << 20);
  EXPECT_EQ(residency(files).fraction(), 1);  // just written
  drop_from_cache(files);
  const double left = residency(files).fraction();
  if (left > 0)
    GTEST_SKIP() << "the file system of the temporary folder keeps " << left << " of a file in memory";
  read_text_file(files[0]);
  EXPECT_EQ(residency(files).resident, 1 << 20);
}

TEST(PageCache, TakesEmptyFilesAndNamesMissingOnes) {
  const test::TemporaryFolder folder;
  const std::vector<std::string> empty{(folder / "empty").string()}, missing{(folder / "missing").string()};
  std::ofstream(empty[0]).close();
  drop_from_cache(empty);
  EXPECT_EQ(residency(empty).fraction(), 0);
  EXPECT_THROW(residency(missing), Error);
}

TEST(PageCache, KnowsTheMemory) {
  EXPECT_GT(available_memory(), 1 << 20);
}

}  // namespace
}  // namespace whorl::readbench
