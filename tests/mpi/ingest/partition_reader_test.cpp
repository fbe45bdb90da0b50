// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/partition_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "base/error.hpp"
#include "ingest/scan.hpp"
#include "mpi/ingest/shared_folder.hpp"

namespace whorl::ingest {
namespace {

using testing::HasSubstr;

// Three tars and a folder, files of 0 to 2,600 bytes, all different.
std::vector<test::TreeFile> files_of(int input) {
  std::vector<test::TreeFile> files;
  for (int i = 0; i < 17; ++i) {
    std::string content;
    for (int byte = 0; byte < (i * 487 + input * 131) % 2600; ++byte)
      content += static_cast<char>('a' + (byte + i * 3 + input) % 26);
    files.push_back({fmt::format("set-{}/class/{:02}", input, (i * 5) % 17), content});
  }
  files.push_back({fmt::format("set-{}/other/x", input), "x"});
  return files;
}

struct Read {
  std::map<std::string, std::string> contents, problems;  // by name
};

std::vector<std::int64_t> all_of(const Manifest& manifest) {
  std::vector<std::int64_t> items(manifest.items.size());
  std::iota(items.begin(), items.end(), 0);
  return items;
}

Read read_some(const mpi::Communicator& comm, const Manifest& manifest,
               const std::vector<std::int64_t>& items, const ReadLimits& limits) {
  PartitionReader reader(comm, manifest, items, limits);
  std::string mine;
  Read result;
  while (reader.next()) {
    while (const auto picture = reader.take()) {
      const std::string text = picture->problem.empty()
                                   ? std::string(picture->bytes.begin(), picture->bytes.end())
                                   : "!" + picture->problem;
      mine += fmt::format("{}\n{}\n", manifest.items[picture->item].name, text);
    }
    comm.barrier();
  }
  for (std::string_view rest : comm.all_gather(mine)) {
    while (!rest.empty()) {
      const std::string name(rest.substr(0, rest.find('\n')));
      rest.remove_prefix(name.size() + 1);
      const std::string text(rest.substr(0, rest.find('\n')));
      rest.remove_prefix(text.size() + 1);
      auto& kind = text.starts_with('!') ? result.problems : result.contents;
      if (!kind.emplace(name, text).second) throw Error("{} was read twice", name);
    }
  }
  return result;
}

Read read_all(const mpi::Communicator& comm, const Manifest& manifest, const ReadLimits& limits) {
  return read_some(comm, manifest, all_of(manifest), limits);
}

class PartitionReaderTest : public testing::Test {
 protected:
  Manifest scan_all() {
    Manifest manifest;
    std::string bytes;
    mpi::on_root(folder_.world, [&] {
      for (int input = 0; input < 3; ++input)
        test::write_file(folder_ / fmt::format("{}", input), test::tar_of(files_of(input)));
      test::write_tree(folder_ / "3", files_of(3));
      bytes = serialise(
          scan({{folder_ / "0", folder_ / "1", folder_ / "2", folder_ / "3"}, 0.3, 0, folder_ / "scratch"})
              .manifest);
    });
    folder_.world.broadcast(bytes);
    return deserialise(bytes);
  }
  test::SharedFolder folder_;
};

TEST_F(PartitionReaderTest, EveryPictureIsReadOnceWhateverTheRoundSize) {
  const Manifest manifest = scan_all();
  ASSERT_EQ(manifest.items.size(), 72U);
  for (const std::int64_t round_bytes : {1, 700, 5000, 1 << 20}) {
    const Read read = read_all(folder_.world, manifest, {round_bytes, 1 << 20});
    EXPECT_EQ(read.problems.size(), 0U);
    ASSERT_EQ(read.contents.size(), 72U);
    for (int input = 0; input < 4; ++input) {
      for (const test::TreeFile& file : files_of(input)) {
        const std::string name = file.path.substr(6);
        const std::string prefix = input == 0 ? "" : fmt::format("{}/", input);
        EXPECT_EQ(read.contents.at(prefix + name), file.content) << round_bytes;
      }
    }
  }
}

TEST_F(PartitionReaderTest, OnlyWhatIsAskedForIsRead) {
  const Manifest manifest = scan_all();
  const Read all = read_all(folder_.world, manifest, {});
  for (const std::int64_t round_bytes : {1, 5000, 1 << 20}) {
    std::vector<std::int64_t> items;
    std::map<std::string, std::string> expected;
    for (std::int64_t i = 0; i < std::ssize(manifest.items); ++i) {
      if (i % 7 == 2 || (i > 30 && i < 50)) continue;
      items.push_back(i);
      expected[manifest.items[i].name] = all.contents.at(manifest.items[i].name);
    }
    EXPECT_EQ(read_some(folder_.world, manifest, items, {round_bytes, 1 << 20}).contents, expected)
        << round_bytes;
  }
  EXPECT_EQ(read_some(folder_.world, manifest, {}, {}).contents.size(), 0U);
}

TEST_F(PartitionReaderTest, EachRankHasAboutTheSameWork) {
  const Manifest manifest = scan_all();
  const mpi::Communicator& world = folder_.world;
  PartitionReader reader(world, manifest, all_of(manifest));
  std::int64_t mine = 0;
  while (reader.next()) {
    // In turns, one picture each: nobody is slow, so nobody has to be helped.
    bool more = true;
    while (world.max(int{more}) == 1) {
      more = more && reader.take().has_value();
      if (more) ++mine;
    }
  }
  EXPECT_EQ(world.sum(mine), 72);
  const std::int64_t runs = 4;  // each input is cut on its own, to whole pictures
  EXPECT_LE(std::abs(mine - 72 / world.size()), runs);
}

TEST_F(PartitionReaderTest, OtherRanksTakeWhatASlowRankHasLeft) {
  const Manifest manifest = scan_all();
  const mpi::Communicator& world = folder_.world;
  const ReadLimits limits{.round_bytes = 5000, .picture_bytes = 2000};
  PartitionReader reader(world, manifest, all_of(manifest), limits);
  std::int64_t mine = 0, wrong = 0;
  while (reader.next()) {
    if (world.is_root() && world.size() > 1) world.barrier();
    while (const auto picture = reader.take()) {
      ++mine;
      const Item& item = manifest.items[picture->item];
      if (std::ssize(picture->bytes) != (item.size > limits.picture_bytes ? 0 : item.size)) ++wrong;
    }
    if (!world.is_root()) world.barrier();
    world.barrier();
  }
  EXPECT_EQ(world.sum(mine), 72);
  EXPECT_EQ(wrong, 0);
  if (world.is_root()) {
    EXPECT_EQ(mine, world.size() > 1 ? 0 : 72);
  }
}

TEST_F(PartitionReaderTest, LargePicturesAreNotRead) {
  const Manifest manifest = scan_all();
  const Read read = read_all(folder_.world, manifest, {5000, 2000});
  EXPECT_EQ(read.contents.size() + read.problems.size(), 72U);
  for (const Item& item : manifest.items) {
    EXPECT_EQ(read.problems.contains(item.name), item.size > 2000) << item.name;
  }
  EXPECT_THAT(read.problems.begin()->second, HasSubstr("is larger than the limit of 2.0 kB"));
}

TEST_F(PartitionReaderTest, FilesThatVanishOrShrinkAreProblemsOfTheirOwn) {
  const Manifest manifest = scan_all();
  mpi::on_root(folder_.world, [&] {
    std::filesystem::remove(folder_ / "3/set-3/class/05");
    std::filesystem::resize_file(folder_ / "3/set-3/class/10", 7);
    std::filesystem::remove(folder_ / "3/set-3/class/15");
    std::filesystem::create_directory(folder_ / "3/set-3/class/15");
  });
  const Read read = read_all(folder_.world, manifest, {});
  ASSERT_EQ(read.problems.size(), 3U);
  EXPECT_THAT(read.problems.at("3/class/05"), HasSubstr("No such file"));
  EXPECT_THAT(read.problems.at("3/class/10"), HasSubstr("ends at byte 7"));
  EXPECT_THAT(read.problems.at("3/class/15"), HasSubstr("not a regular file"));
}

TEST_F(PartitionReaderTest, AnArchiveThatShrinksIsAnErrorOnAllRanks) {
  const Manifest manifest = scan_all();
  mpi::on_root(folder_.world, [&] { std::filesystem::resize_file(folder_ / "1", 1000); });
  try {
    read_all(folder_.world, manifest, {});
    FAIL() << "no error";
  } catch (const CollectiveError& error) {
    EXPECT_THAT(error.what(), HasSubstr((folder_ / "1").string() + " has 1000 bytes"));
  }
}

}  // namespace
}  // namespace whorl::ingest
