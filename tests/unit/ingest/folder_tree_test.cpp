// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/folder_tree.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "unit/ingest/fixtures.hpp"

namespace whorl::ingest {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> paths_of(const Listing& listing) {
  std::vector<std::string> paths;
  for (const Entry& entry : listing.entries) paths.push_back(entry.path);
  return paths;
}

TEST(FolderTree, ListsAllFilesSortedWithTheirSizes) {
  const test::TemporaryFolder folder;
  test::write_file(folder.path() / "b/2", "22");
  test::write_file(folder.path() / "a/deep/1", "1");
  test::write_file(folder.path() / "a.txt", "");
  const Listing listing = list_folder(folder.path().string());
  EXPECT_EQ(paths_of(listing), (std::vector<std::string>{"a.txt", "a/deep/1", "b/2"}));
  EXPECT_EQ(listing.entries[2].size, 2);
  EXPECT_EQ(listing.file_of(listing.entries[2]), (folder.path() / "b/2").string());
}

TEST(FolderTree, FollowsLinksInsideTheTreeOnly) {
  const test::TemporaryFolder folder, elsewhere;
  test::write_file(elsewhere.path() / "secret", "s");
  test::write_file(folder.path() / "real/1", "1");
  fs::create_directory(folder.path() / "links");
  fs::create_symlink("../real/1", folder.path() / "links/file");
  fs::create_symlink("../real", folder.path() / "links/folder");
  fs::create_symlink("../real", folder.path() / "links/folder-again");
  fs::create_symlink("..", folder.path() / "links/loop");
  fs::create_symlink("nowhere", folder.path() / "links/broken");
  fs::create_symlink(elsewhere.path(), folder.path() / "links/out");
  fs::create_symlink(elsewhere.path() / "secret", folder.path() / "links/secret");
  ASSERT_EQ(::mkfifo((folder.path() / "fifo").c_str(), 0600), 0);
  const Listing listing = list_folder(folder.path().string());
  EXPECT_EQ(paths_of(listing), (std::vector<std::string>{"links/file", "links/folder/1", "real/1"}));
  EXPECT_EQ(listing.entries[0].size, 1);
  EXPECT_EQ(listing.notes.size(), 6U);
}

TEST(FolderTree, NotesAreFitForATerminal) {
  const test::TemporaryFolder folder;
  fs::create_symlink("nowhere", folder.path() / "a\x1b[2J\n");
  const Listing listing = list_folder(folder.path().string());
  ASSERT_EQ(listing.notes.size(), 1U);
  EXPECT_EQ(listing.notes[0].rfind("a?[2J?: skipped, the link leads nowhere", 0), 0U) << listing.notes[0];
}

TEST(FolderTree, SaysWhichFolderIsMissing) {
  const test::TemporaryFolder folder;
  try {
    list_folder((folder.path() / "none").string());
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find((folder.path() / "none").string()), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace whorl::ingest
