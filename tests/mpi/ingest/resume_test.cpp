// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>

#include "base/error.hpp"
#include "base/file_lock.hpp"
#include "base/file_system.hpp"
#include "ingest/ingest.hpp"
#include "ingest/journal.hpp"
#include "ingest/leftover.hpp"
#include "mpi/ingest/shared_folder.hpp"
#include "support/thrown_message.hpp"

namespace whorl::ingest {
namespace {

namespace fs = std::filesystem;
using dataset::Storage;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ResumeTest : public testing::TestWithParam<Storage> {
 protected:
  ResumeTest() {
    mpi::on_root(world(), [&] { test::write_tree(folder_ / "tree", test::picture_tree(3, 9, true)); });
    ingest(world(), options("undisturbed.h5"));
  }
  const mpi::Communicator& world() const { return folder_.world; }
  // Blocks of three pictures.
  Options options(const std::string& output) const {
    Options result;
    result.inputs = {folder_ / "tree"};
    result.output = folder_ / output;
    result.size = 48;
    result.block_bytes = 3 * 48 * 48 * 3;
    result.storage = GetParam();
    result.max_rejects = 1;
    return result;
  }
  Options resuming(const std::string& output) const {
    Options result = options(output);
    result.resume = true;
    return result;
  }
  // A job that ends by an error in the end, because it may not reject what it has to.
  std::string fail(Options failing) const {
    failing.max_rejects = 0;
    return whorl::test::thrown_message<CollectiveError>([&] { ingest(world(), failing); });
  }
  Summary run_with(int ranks, const Options& options) const {
    mpi::Communicator some = world().split(world().rank() < ranks ? 0 : 1, world().rank());
    Summary summary;
    if (world().rank() < ranks) summary = ingest(some, options);
    world().barrier();
    return summary;
  }
  bool equals_undisturbed(const std::string& name) const {
    return read_text_file(folder_ / name) == read_text_file(folder_ / "undisturbed.h5");
  }
  std::vector<fs::path> leftovers() const {
    std::vector<fs::path> found = leftovers_now();
    world().barrier();
    return found;
  }
  std::vector<fs::path> leftovers_now() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder_ / ""))
      if (entry.path().string().find(".partial-") != std::string::npos) found.push_back(entry.path());
    return found;
  }
  static std::vector<fs::path> journals_in(const fs::path& leftover) {
    std::vector<fs::path> journals;
    for (const auto& entry : fs::directory_iterator(leftover))
      if (entry.path().filename().string().starts_with("journal-")) journals.push_back(entry.path());
    return journals;
  }
  static void damage(const fs::path& leftover) {
    for (const fs::path& journal : journals_in(leftover)) {
      const auto content = read_journal(journal);
      for (const StoredPicture& picture : content->pictures)
        write_at(leftover / content->data, picture.offset + 11, std::as_bytes(std::span("damaged")));
    }
  }

  test::SharedFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Storages, ResumeTest, testing::Values(Storage::pixels, Storage::jpeg),
                         [](const auto& storage) { return std::string(to_string(storage.param)); });

TEST_P(ResumeTest, GivesTheFileOfAnUndisturbedJobOnAnyNumberOfRanks) {
  for (int ranks = 1; ranks <= world().size(); ++ranks) {
    EXPECT_THAT(fail(options("out.h5")), AllOf(HasSubstr("cannot be used"), HasSubstr("out.h5.partial-"),
                                               HasSubstr("the same command with --resume")));
    ASSERT_EQ(leftovers().size(), 1U);
    EXPECT_FALSE(fs::exists(folder_ / "out.h5"));
    const Summary summary = run_with(ranks, resuming("out.h5"));
    if (world().rank() < ranks) {
      EXPECT_GT(summary.restored, 4);
      EXPECT_EQ(summary.rejected, 3);
    }
    EXPECT_TRUE(equals_undisturbed("out.h5")) << ranks << " ranks";
    EXPECT_THAT(leftovers(), IsEmpty());
    mpi::on_root(world(), [&] { fs::remove(folder_ / "out.h5"); });
  }
}

// As README promises: one block of each rank and split, of two pictures here.
TEST_P(ResumeTest, AtMostABlockOfEachRankAndSplitIsDoneAgain) {
  mpi::on_root(world(), [&] { test::write_tree(folder_ / "many", test::picture_tree(3, 60, true)); });
  Options many = options("many.h5");
  many.inputs = {folder_ / "many"};
  many.block_bytes = 2 * 48 * 48 * 3;
  fail(many);
  many.resume = true;
  const Summary summary = ingest(world(), many);
  constexpr std::int64_t finished = 180, of_a_block = 2, splits = 2;
  EXPECT_GE(summary.restored, finished - world().size() * splits * of_a_block);
  EXPECT_LE(summary.restored, finished);
}

TEST_P(ResumeTest, WithoutItTheLeftoverIsNamedAndKept) {
  fail(options("out.h5"));
  const auto left = leftovers();
  EXPECT_THAT(whorl::test::thrown_message<CollectiveError>([&] { ingest(world(), options("out.h5")); }),
              AllOf(HasSubstr(left.at(0).filename().string()), HasSubstr("--resume"), HasSubstr("rm -r")));
  EXPECT_EQ(leftovers(), left);
  EXPECT_EQ(fs::status(left.at(0)).permissions(), fs::perms::owner_all);
}

TEST_P(ResumeTest, ALeftoverOfOtherOptionsIsRefusedAndKept) {
  fail(options("out.h5"));
  const auto left = leftovers();
  Options other = resuming("out.h5");
  other.size = 64;
  EXPECT_THAT(whorl::test::thrown_message<CollectiveError>([&] { ingest(world(), other); }),
              AllOf(HasSubstr("is of another job"), HasSubstr("48 x 48"), HasSubstr("64 x 64")));
  mpi::on_root(world(), [&] { fs::remove(folder_ / "tree/flowers/class-0/picture-000.jpg"); });
  EXPECT_THAT(whorl::test::thrown_message<CollectiveError>([&] { ingest(world(), resuming("out.h5")); }),
              HasSubstr("is of another job"));
  EXPECT_EQ(leftovers(), left);
}

TEST_P(ResumeTest, WhatIsDamagedOrTornIsDoneAgain) {
  fail(options("out.h5"));
  const fs::path left = leftovers().at(0);
  mpi::on_root(world(), [&] {
    const auto journals = journals_in(left);
    for (std::size_t i = 0; i < journals.size(); ++i) {
      const auto content = read_journal(journals[i]);
      if (i == 0) fs::resize_file(journals[i], fs::file_size(journals[i]) - 5);
      if (i > 0 && !content->pictures.empty())
        write_at(left / content->data, content->pictures[0].offset + 11, std::as_bytes(std::span("damaged")));
    }
  });
  const Summary summary = ingest(world(), resuming("out.h5"));
  EXPECT_LT(summary.restored, 27);
  EXPECT_TRUE(equals_undisturbed("out.h5"));
}

// Pictures that no decoder would make: they can only be in the result if they were copied.
TEST_P(ResumeTest, FinishedPicturesAreCopied) {
  fail(options("out.h5"));
  const fs::path left = leftovers().at(0);
  mpi::on_root(world(), [&] {
    for (const fs::path& path : journals_in(left)) {
      const auto content = read_journal(path);
      if (content->pictures.size() < 2) continue;
      // The second in the place of the first.
      StoredPicture other = content->pictures[1];
      other.item = content->pictures[0].item;
      fs::remove(path);
      Journal(path, content->recipe, content->data).append({&other, 1});
      return;
    }
    throw Error("no journal has two pictures");
  });
  const Summary summary = ingest(world(), resuming("out.h5"));
  EXPECT_LT(summary.restored, 27);
  EXPECT_FALSE(equals_undisturbed("out.h5"));
}

TEST_P(ResumeTest, AJobThatIsInterruptedAgainIsResumedToo) {
  fail(options("out.h5"));
  EXPECT_THAT(fail(resuming("out.h5")), HasSubstr("--resume"));
  EXPECT_EQ(leftovers().size(), 2U);
  fail(resuming("out.h5"));
  EXPECT_EQ(leftovers().size(), 2U);  // one of the two had nothing that the other lacked
  ingest(world(), resuming("out.h5"));
  EXPECT_TRUE(equals_undisturbed("out.h5"));
  EXPECT_THAT(leftovers(), IsEmpty());
}

// As when the newer job's node died: its journals are on disk, the bytes they name are not.
TEST_P(ResumeTest, NothingIsLostWhereOnlyTheNewerLeftoverIsDamaged) {
  fail(options("out.h5"));
  const fs::path older = leftovers().at(0);
  const std::int64_t finished = count_finished(older);
  fail(resuming("out.h5"));
  mpi::on_root(world(), [&] {
    for (const fs::path& newer : leftovers_now()) {
      if (newer != older) damage(newer);
    }
  });
  EXPECT_EQ(ingest(world(), resuming("out.h5")).restored, finished);
  EXPECT_TRUE(equals_undisturbed("out.h5"));
}

TEST_P(ResumeTest, ALeftoverIsKeptWithoutWhatItsJournalsDoNotName) {
  fail(options("out.h5"));
  const fs::path left = leftovers().at(0);
  const std::int64_t finished = count_finished(left);
  const std::vector<std::string> scratch{"input-0.tar", "input.pixels", "compacted.h5"};
  mpi::on_root(world(), [&] {
    for (const std::string& name : scratch) write_file_atomically(left / name, "of no use to another job");
  });
  EXPECT_NE(fail(options("out.h5")), "");
  for (const std::string& name : scratch) EXPECT_FALSE(fs::exists(left / name)) << name;
  EXPECT_EQ(ingest(world(), resuming("out.h5")).restored, finished);
}

// The other job publishes its file and removes its folder while its lock is waited for.
TEST_P(ResumeTest, AJobThatIsWaitedForMayFinishTheFile) {
  const auto message = [&](const Options& options) {
    std::jthread other_job;
    mpi::on_root(world(), [&] {
      fs::remove(folder_ / "out.h5");
      const fs::path other = folder_ / "out.h5.partial-other";
      fs::create_directory(other);
      const std::shared_ptr<FileLock> lock = FileLock::take(other / "lock");
      other_job = std::jthread([this, other, lock] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        fs::copy_file(folder_ / "undisturbed.h5", folder_ / "out.h5");
        fs::remove_all(other);
      });
    });
    return whorl::test::thrown_message<CollectiveError>([&] { ingest(world(), options); });
  };
  EXPECT_EQ(message(resuming("out.h5")), "nothing was thrown");
  EXPECT_THAT(message(options("out.h5")), HasSubstr("out.h5 exists already"));
  EXPECT_THAT(leftovers(), IsEmpty());
}

TEST_P(ResumeTest, AFinishedJobHasNothingToDo) {
  const auto time = fs::last_write_time(folder_ / "undisturbed.h5");
  world().barrier();
  const Summary summary = ingest(world(), resuming("undisturbed.h5"));
  EXPECT_EQ(fs::last_write_time(folder_ / "undisturbed.h5"), time);
  EXPECT_EQ(summary.rejected, 3);
  EXPECT_EQ(summary.class_counts[0].size(), 3U);
  EXPECT_THAT(leftovers(), IsEmpty());
  Options other = resuming("undisturbed.h5");
  other.size = 64;
  EXPECT_THAT(whorl::test::thrown_message<CollectiveError>([&] { ingest(world(), other); }),
              HasSubstr("exists already, made from other pictures or otherwise"));
}

TEST_P(ResumeTest, WithoutALeftoverItBegins) {
  EXPECT_EQ(ingest(world(), resuming("out.h5")).restored, 0);
  EXPECT_TRUE(equals_undisturbed("out.h5"));
}

// Batches whose names, sizes and labels have stayed.
TEST_P(ResumeTest, OtherPixelsInACifarBatchAreAnotherJob) {
  const auto write_batch = [&](std::string records, char last) {
    records.back() = last;
    mpi::on_root(world(), [&] { test::write_file(folder_ / "cifar/data_batch_1.bin", records); });
  };
  Options cifar = resuming("cifar.h5");
  cifar.inputs = {folder_ / "cifar"};
  cifar.size = 32;
  cifar.storage = Storage::pixels;
  write_batch(test::cifar_records(1, 20), 'a');
  ingest(world(), cifar);
  write_batch(test::cifar_records(1, 20), 'b');
  EXPECT_THAT(whorl::test::thrown_message<CollectiveError>([&] { ingest(world(), cifar); }),
              HasSubstr("exists already, made from other pictures or otherwise"));
}

}  // namespace
}  // namespace whorl::ingest
