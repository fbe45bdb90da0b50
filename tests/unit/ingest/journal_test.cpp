// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file_system.hpp"
#include "ingest/leftover.hpp"
#include "unit/ingest/fixtures.hpp"

namespace whorl::ingest {

// For EXPECT_EQ.
static bool operator==(const StoredPicture& a, const StoredPicture& b) {
  return a.item == b.item && a.offset == b.offset && a.size == b.size && a.checksum == b.checksum;
}

namespace {

using testing::ElementsAre;

const std::vector<StoredPicture> first{{3, 100, 10, 0x1111}, {4, 110, 12, 0x2222}};
const std::vector<StoredPicture> second{{9, 122, 5, 0x3333}};

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    Journal journal(path, "the recipe", "data-7");
    journal.append(first);
    journal.append({});
    journal.append(second);
    EXPECT_THAT(journal.pictures(), ElementsAre(first[0], first[1], second[0]));
    whole = read_text_file(path);
  }
  // Of the file with these bytes.
  std::optional<JournalContent> content_of(const std::string& bytes) {
    test::write_file(folder / "changed", bytes);
    return read_journal(folder / "changed");
  }

  test::TemporaryFolder folder;
  std::filesystem::path path = folder / "journal-7";
  std::string whole;
};

TEST_F(JournalTest, SaysWhatWasAppended) {
  const auto content = read_journal(path);
  ASSERT_TRUE(content.has_value());
  EXPECT_EQ(content->recipe, "the recipe");
  EXPECT_EQ(content->data, "data-7");
  EXPECT_THAT(content->pictures, ElementsAre(first[0], first[1], second[0]));
}

TEST_F(JournalTest, KeepsWholeRecordsBeforeATornOne) {
  constexpr std::size_t frame = 16;
  const std::size_t beginning = 10 + 6 + 2 * frame, of_first = 2 * sizeof(StoredPicture) + frame;
  ASSERT_EQ(whole.size(), beginning + of_first + sizeof(StoredPicture) + frame);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto content = content_of(whole.substr(0, length));
    ASSERT_EQ(content.has_value(), length >= beginning) << length;
    if (!content) continue;
    EXPECT_EQ(content->pictures.size(), length < beginning + of_first ? 0U : 2U) << length;
  }
}

TEST_F(JournalTest, NeverBelievesADamagedRecord) {
  for (std::size_t place = 0; place < whole.size(); ++place) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
    const auto content = content_of(damaged);
    if (!content) continue;
    EXPECT_EQ(content->recipe + content->data, "the recipedata-7") << place;
    ASSERT_LT(content->pictures.size(), 3U) << place;
    for (std::size_t i = 0; i < content->pictures.size(); ++i) EXPECT_EQ(content->pictures[i], first[i]);
  }
}

TEST_F(JournalTest, RefusesAFileThatIsThere) {
  EXPECT_THROW(Journal(path, "", ""), Error);
}

TEST_F(JournalTest, APictureWithOtherBytesIsNotFinished) {
  const std::string bytes = "0123456789";
  test::write_file(folder / "data", bytes);
  const StoredPicture stored{0, 3, 4, checksum_of(std::as_bytes(std::span(bytes).subspan(3, 4)))};
  Leftover leftover{{(folder / "data").string(), (folder / "none").string()}, {{stored, 0}, {stored, 1}}, {}};
  std::vector<std::uint8_t> out;
  EXPECT_TRUE(read_finished(leftover, leftover.pictures[0], out));
  EXPECT_THAT(out, ElementsAre('3', '4', '5', '6'));
  EXPECT_FALSE(read_finished(leftover, leftover.pictures[1], out));
  test::write_file(folder / "data", "0123466789");
  EXPECT_FALSE(read_finished(leftover, leftover.pictures[0], out));
  test::write_file(folder / "data", "012345");
  EXPECT_FALSE(read_finished(leftover, leftover.pictures[0], out));
}

TEST_F(JournalTest, EndsAtARecordThatIsNoListOfPictures) {
  const std::string odd(sizeof(StoredPicture) + 5, 'x');
  const std::uint64_t length = odd.size(), checksum = checksum_of(std::as_bytes(std::span(odd)));
  const auto bytes_of = [](const std::uint64_t& number) {
    return std::string(reinterpret_cast<const char*>(&number), sizeof number);
  };
  const auto content = content_of(whole + bytes_of(length) + odd + bytes_of(checksum));
  ASSERT_TRUE(content.has_value());
  EXPECT_THAT(content->pictures, ElementsAre(first[0], first[1], second[0]));
}

TEST_F(JournalTest, PlacesOutsideTheirFileHoldNoPicture) {
  const Leftover leftover{{path}, {}, {}};
  std::vector<std::uint8_t> bytes;
  constexpr std::int64_t huge = std::int64_t{1} << 62;
  for (const auto& [offset, size] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {0, huge}, {huge, huge}, {-1, 4}, {0, -4}, {huge, 4}, {std::ssize(whole) - 3, 4}}) {
    EXPECT_FALSE(read_finished(leftover, {{0, offset, size, 0}, 0}, bytes)) << offset << ", " << size;
    EXPECT_LT(bytes.capacity(), 100U) << "memory for what is not there";
  }
}

}  // namespace
}  // namespace whorl::ingest
