// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/class_folders.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace whorl::ingest {
namespace {

// "name|class|split" of each candidate.
std::vector<std::string> candidates_of(const std::vector<std::string>& paths) {
  std::vector<Entry> entries;
  entries.reserve(paths.size());
  for (const std::string& path : paths) entries.push_back({path, 0, 1});
  std::vector<std::string> result;
  for (const Candidate& candidate : find_class_folders(entries).candidates) {
    const char* split = candidate.split ? dataset::to_string(*candidate.split) : "-";
    EXPECT_TRUE(paths[candidate.entry].ends_with(candidate.name));
    result.push_back(candidate.name + "|" + candidate.class_name + "|" + split);
  }
  return result;
}

using Strings = std::vector<std::string>;

TEST(ClassFolders, AreBelowTheCommonFolders) {
  EXPECT_EQ(candidates_of({"a/b/daisy/1.jpg", "a/b/rose/2.jpg", "a/LICENSE", "a/b/list.tsv"}),
            (Strings{"daisy/1.jpg|daisy|-", "rose/2.jpg|rose|-"}));
}

TEST(ClassFolders, AFileBesideTheOnlyFolderDoesNotMakeItAClass) {
  EXPECT_EQ(candidates_of({"README", "flowers/daisy/1.jpg", "flowers/rose/2.jpg"}),
            (Strings{"daisy/1.jpg|daisy|-", "rose/2.jpg|rose|-"}));
}

TEST(ClassFolders, ASingleClassIsTheLastFolder) {
  EXPECT_EQ(candidates_of({"set/daisy/1.jpg", "set/daisy/2.jpg"}),
            (Strings{"daisy/1.jpg|daisy|-", "daisy/2.jpg|daisy|-"}));
}

TEST(ClassFolders, FoldersBelowAClassBelongToIt) {
  EXPECT_EQ(candidates_of({"daisy/old/1.jpg", "rose/2.jpg"}),
            (Strings{"daisy/old/1.jpg|daisy|-", "rose/2.jpg|rose|-"}));
}

TEST(ClassFolders, SplitFoldersAreKept) {
  EXPECT_EQ(candidates_of({"x/test/a/1.jpg", "x/train/a/2.jpg", "x/train/b/3.jpg", "x/val/b/4.jpg",
                           "x/valid/b/5.jpg", "x/validation/b/6.jpg"}),
            (Strings{"test/a/1.jpg|a|test", "train/a/2.jpg|a|train", "train/b/3.jpg|b|train",
                     "val/b/4.jpg|b|test", "valid/b/5.jpg|b|test", "validation/b/6.jpg|b|test"}));
}

TEST(ClassFolders, FoldersBetweenSplitAndClassAreShared) {
  EXPECT_EQ(candidates_of({"train/flowers/a/1.jpg", "train/flowers/b/2.jpg", "val/flowers/a/3.jpg"}),
            (Strings{"train/flowers/a/1.jpg|a|train", "train/flowers/b/2.jpg|b|train",
                     "val/flowers/a/3.jpg|a|test"}));
}

TEST(ClassFolders, OnlyATrainFolderIsASplit) {
  EXPECT_EQ(candidates_of({"x/train/a/1.jpg", "x/train/b/2.jpg"}),
            (Strings{"train/a/1.jpg|a|train", "train/b/2.jpg|b|train"}));
}

TEST(ClassFolders, AClassMayBeCalledTest) {
  EXPECT_EQ(candidates_of({"control/1.jpg", "test/2.jpg"}),
            (Strings{"control/1.jpg|control|-", "test/2.jpg|test|-"}));
}

TEST(ClassFolders, CountsWhatIsOutsideOrHidden) {
  const std::vector<Entry> entries = {
      {"a/x/1.jpg", 0, 1},     {"a/y/2.jpg", 0, 1},    {"a/LICENSE", 0, 1},       {"top", 0, 1},
      {"a/x/.DS_Store", 0, 1}, {".git/x/3.jpg", 0, 1}, {"__MACOSX/._4.jpg", 0, 1}};
  const ClassFolders found = find_class_folders(entries);
  EXPECT_EQ(found.candidates.size(), 2U);
  EXPECT_EQ(found.outside, 2);
  EXPECT_EQ(found.hidden, 3);
}

TEST(ClassFolders, FilesWithoutFoldersAreNoCandidates) {
  EXPECT_EQ(candidates_of({"1.jpg", "2.jpg"}), Strings{});
}

}  // namespace
}  // namespace whorl::ingest
