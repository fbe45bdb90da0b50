// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/tar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "unit/ingest/fixtures.hpp"

namespace whorl::ingest {
namespace {

using test::TarWriter;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class Tar : public testing::Test {
 protected:
  Listing list(const std::string& bytes) {
    test::write_file(path_, bytes);
    return list_tar(InputFile(path_));
  }
  std::string error_of(const std::string& bytes) {
    try {
      list(bytes);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  test::TemporaryFolder folder_;
  std::string path_ = (folder_.path() / "a.tar").string();
};

std::string content_of(const std::string& bytes, const Entry& entry) {
  return bytes.substr(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size));
}

TEST_F(Tar, ListsFilesWithTheirPlaces) {
  TarWriter tar;
  tar.add("./a/", "", '5');
  tar.add("./a/one", std::string(513, 'x'));
  tar.add("a//two", "second");
  tar.add("/b/empty", "");
  const Listing listing = list(tar.finished());
  ASSERT_EQ(listing.entries.size(), 3U);
  EXPECT_EQ(listing.entries[0].path, "a/one");
  EXPECT_EQ(content_of(tar.bytes, listing.entries[0]), std::string(513, 'x'));
  EXPECT_EQ(listing.entries[1].path, "a/two");
  EXPECT_EQ(content_of(tar.bytes, listing.entries[1]), "second");
  EXPECT_EQ(listing.entries[2].path, "b/empty");
  EXPECT_EQ(listing.entries[2].size, 0);
  EXPECT_TRUE(listing.notes.empty());
}

TEST_F(Tar, ReadsLongNamesOfGnuAndPax) {
  TarWriter tar;
  const std::string gnu = "a/" + std::string(150, 'g'), pax = "b/" + std::string(300, 'p');
  tar.add(gnu, "1");
  tar.add_pax({"mtime=1.5", "path=" + pax, "comment=with=equals"});
  tar.add("short", "22");
  tar.add("plain", "333");
  const Listing listing = list(tar.finished());
  ASSERT_EQ(listing.entries.size(), 3U);
  EXPECT_EQ(listing.entries[0].path, gnu);
  EXPECT_EQ(listing.entries[1].path, pax);
  EXPECT_EQ(content_of(tar.bytes, listing.entries[1]), "22");
  EXPECT_EQ(listing.entries[2].path, "plain");  // the extension holds for one entry only
}

TEST_F(Tar, JoinsTheUstarPrefix) {
  TarWriter tar;
  tar.add("name", "1");
  const std::string prefix = "folder/below";
  int sum = 0;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    tar.bytes[345 + i] = prefix[i];
    sum += prefix[i];
  }
  const int checksum = std::stoi(tar.bytes.substr(148, 6), nullptr, 8) + sum;
  tar.bytes.replace(148, 6, fmt::format("{:06o}", checksum));
  EXPECT_EQ(list(tar.finished()).entries.at(0).path, "folder/below/name");
}

TEST_F(Tar, TakesThePaxSizeBeforeTheHeaders) {
  TarWriter tar;
  tar.add_pax({"size=700"});
  tar.add_header("big", std::string(11, '0'));
  tar.bytes += std::string(1024, 'x');
  tar.add("next", "n");
  const Listing listing = list(tar.finished());
  ASSERT_EQ(listing.entries.size(), 2U);
  EXPECT_EQ(listing.entries[0].size, 700);
  EXPECT_EQ(content_of(tar.bytes, listing.entries[1]), "n");
}

TEST_F(Tar, ReadsSizesInBinary) {
  TarWriter tar;
  tar.add_header("a", std::string("\x80\0\0\0\0\0\0\0\0\0\x02\x01", 12));
  tar.bytes += std::string(1024, 'x');
  EXPECT_EQ(list(tar.finished()).entries.at(0).size, 513);
}

TEST_F(Tar, TheLastOfEqualPathsCounts) {
  TarWriter tar;
  tar.add("a/x", "old");
  tar.add("a/y", "y");
  tar.add("a/x", "newer");
  const Listing listing = list(tar.finished());
  ASSERT_EQ(listing.entries.size(), 2U);
  EXPECT_EQ(listing.entries[1].path, "a/x");
  EXPECT_EQ(content_of(tar.bytes, listing.entries[1]), "newer");
}

TEST_F(Tar, PassesOverWhatIsNoFileOrLeadsOut) {
  TarWriter tar;
  tar.add("a/link", "", '2');
  tar.add("a/hard", "", '1');
  tar.add("a/device", "", '3');
  tar.add("a/fifo", "", '6');
  tar.add("a/../../etc/passwd", "x");
  tar.add_pax({"path=" + std::string("a/b\0c", 5)});
  tar.add("nul", "x");
  tar.add_pax({"GNU.sparse.major=1"});
  tar.add("sparse", "x");
  tar.add("a/" + std::string(5000, 'l'), "x");
  std::string deep;
  for (int level = 0; level < 65; ++level) deep += "d/";
  tar.add(deep + "x", "x");
  tar.add("a/file", "x");
  const Listing listing = list(tar.finished());
  ASSERT_EQ(listing.entries.size(), 1U);
  EXPECT_EQ(listing.entries[0].path, "a/file");
  EXPECT_THAT(listing.notes,
              ElementsAre(HasSubstr("a/link: skipped, a link"), HasSubstr("a/hard: skipped, a link"),
                          HasSubstr("a/device: skipped"), HasSubstr("a/fifo: skipped"),
                          HasSubstr("passwd: skipped, the path leads out"),
                          HasSubstr("a/b?c: skipped, the path leads out"), HasSubstr("sparse: skipped"),
                          HasSubstr("the path has 5002 bytes, more than the limit of 4096"),
                          HasSubstr("65 folders deep, more than the limit of 64")));
}

TEST_F(Tar, NotesAreFitForATerminal) {
  TarWriter tar;
  tar.add("a/\x1b[2J\n" + std::string(3000, 'l'), "", '2');
  const Listing listing = list(tar.finished());
  ASSERT_EQ(listing.notes.size(), 1U);
  EXPECT_THAT(listing.notes[0], StartsWith("a/?[2J?lll"));
  EXPECT_LT(listing.notes[0].size(), 300U);
}

TEST_F(Tar, FindsWhatFollowsASparseFileOfGnu) {
  TarWriter tar;
  tar.add("a/sparse", std::string(300, 's'), 'S');
  constexpr std::size_t more_in_header = 482, more_in_map = 504;
  std::string map(512, '\0'), last_map(512, '\0');
  map[more_in_map] = 1;
  tar.bytes[more_in_header] = 1;
  tar.bytes.insert(512, map + last_map);
  std::string first = tar.bytes.substr(0, 512);
  unsigned sum = 0;
  first.replace(148, 8, 8, ' ');
  for (const char c : first) sum += static_cast<std::uint8_t>(c);
  tar.bytes.replace(0, 512, first.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2)));
  tar.add("a/file", "x");
  const Listing listing = list(tar.finished());
  ASSERT_EQ(listing.entries.size(), 1U);
  EXPECT_EQ(content_of(tar.bytes, listing.entries[0]), "x");
}

TEST_F(Tar, NamesTheOffsetWhereAnArchiveIsTruncated) {
  TarWriter tar;
  tar.add("one", std::string(600, '1'));
  tar.add("two", std::string(600, '2'));
  EXPECT_THAT(error_of(tar.bytes.substr(0, 2048 + 100)), HasSubstr("it begins at byte 1536"));
  EXPECT_THAT(error_of(tar.bytes.substr(0, 1536 + 100)), HasSubstr("It ends at byte 1536"));
  EXPECT_THAT(error_of(tar.bytes), HasSubstr("end mark is missing"));
}

TEST_F(Tar, RefusesDamagedHeaders) {
  TarWriter tar;
  tar.add("one", "1");
  std::string wrong_sum = tar.finished();
  wrong_sum[3] ^= 1;
  EXPECT_THAT(error_of(wrong_sum), HasSubstr("checksum at byte 0"));
  TarWriter bad_size;
  bad_size.add("one", "1");
  bad_size.add_header("two", "00000zzz");
  EXPECT_THAT(error_of(bad_size.finished()), HasSubstr("without a valid size at byte 1024"));
}

TEST_F(Tar, RefusesHostileSizes) {
  const auto error_of_size = [&](const std::string& field, char type) {
    TarWriter tar;
    tar.add_header("x", field, type);
    return error_of(tar.finished());
  };
  EXPECT_THAT(error_of_size("77777777777", '0'), HasSubstr("does not fit"));
  EXPECT_THAT(error_of_size(std::string("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12), '0'),
              HasSubstr("does not fit"));
  EXPECT_THAT(error_of_size(std::string(12, '\xff'), '0'), HasSubstr("without a valid size"));
  EXPECT_THAT(error_of_size(std::string("\x80") + std::string(11, '\xff'), '0'),
              HasSubstr("without a valid size"));
  EXPECT_THAT(error_of_size("-0000000001", '0'), HasSubstr("without a valid size"));
  TarWriter pax;
  pax.add_header("x", fmt::format("{:011o}", 3 << 20), 'x');
  pax.bytes += std::string(3 << 20, ' ');
  EXPECT_THAT(error_of(pax.finished()), HasSubstr("header extension of 3145728 bytes"));
}

TEST_F(Tar, RefusesMalformedPaxRecords) {
  for (const std::string records : {"9 path=ab\n", "99 path=a\n", "x path=a\n", "0 path=a\n", "10path=ab\n",
                                    "8 patha\n", "18446744073709551615 a=b\n"}) {
    TarWriter tar;
    tar.add("p", records, 'x');
    tar.add("one", "1");
    EXPECT_THAT(error_of(tar.finished()), HasSubstr("malformed pax header at byte 0")) << records;
  }
  TarWriter negative;
  negative.add_pax({"size=-5"});
  EXPECT_THAT(error_of(negative.finished()), HasSubstr("malformed pax size"));
}

TEST_F(Tar, IsRecognisedByContent) {
  TarWriter tar;
  tar.add("one", "1");
  const auto recognised = [&](const std::string& bytes) {
    test::write_file(path_, bytes);
    return is_tar(InputFile(path_));
  };
  EXPECT_TRUE(recognised(tar.finished()));
  EXPECT_TRUE(recognised(std::string(1024, '\0')));
  EXPECT_FALSE(recognised(std::string(512, 'x')));
  EXPECT_FALSE(recognised(""));
  EXPECT_FALSE(recognised(test::jpeg_bytes(40, 40, 1)));
}

}  // namespace
}  // namespace whorl::ingest
