// SPDX-License-Identifier: BSD-3-Clause
#include "scale/run.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>
#include <set>
#include <thread>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "image/jpeg.hpp"
#include "scale/placement.hpp"
#include "scale/plan.hpp"
#include "support/dataset_file.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_message.hpp"

namespace whorl::scale {
namespace {

/// A folder of rank 0 that all ranks know, with a dataset and a job in it.
class Place {
 public:
  Place() {
    if (world_.is_root()) {
      folder_.emplace();
      path_ = folder_->path().string();
      test::DatasetFile{.image_size = 16, .train_count = 80, .test_count = 3}.write(*folder_ / "tiny.h5");
      std::ofstream(*folder_ / "tiny.ini") << "[train]\nbatch=16\nshard=4\n[optimizer]\nlearning_rate=0.01\n";
    }
    world_.broadcast(path_);
  }
  ~Place() { world_.barrier(); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const mpi::Communicator& world() const { return world_; }
  Study study() const {
    Study study;
    study.job = *this / "tiny.ini";
    study.data = *this / "tiny.h5";
    study.steps = 2;
    study.repeats = 2;
    return study;
  }

 private:
  const mpi::Communicator world_ = mpi::Communicator::world();
  std::optional<test::TemporaryFolder> folder_;
  std::string path_;
};

/// Two classes of `count` JPEGs.
void write_pictures(const std::string& folder, int count) {
  const std::vector<std::uint8_t> jpeg = image::encode_jpeg(image::Image(9, 7), 90);
  for (const char* name : {"a", "b"}) {
    std::filesystem::create_directories(folder + "/" + name);
    for (int i = 0; i < count; ++i) {
      std::ofstream file(fmt::format("{}/{}/{}.jpg", folder, name, i), std::ios::binary);
      file.write(reinterpret_cast<const char*>(jpeg.data()), std::ssize(jpeg));
    }
  }
}

std::size_t expected_timings(int ranks) {
  const std::size_t counts = ranks == 1 ? 1 : ranks == 2 ? 2 : 3;
  return counts * 2 /* strong, weak */ * 2 /* repeats */;
}

TEST(RunStudy, TimesEveryPointOnItsRanks) {
  const Place place;
  const std::vector<Row> rows = run_study(place.world(), place.study(), place / "run", false);
  ASSERT_EQ(rows.size(), expected_timings(place.world().size()));
  for (const Row& row : rows) {
    const Point& point = row.timing.point;
    EXPECT_EQ(row.pictures, 2 * point.batch);
    EXPECT_EQ(point.batch, point.scaling == "weak" ? 16 * point.ranks : 16);
    EXPECT_GT(row.split.compute, 0);
    const Split& split = row.split;
    EXPECT_LE(split.compute + split.communication + split.input + split.waiting + split.other,
              1.5 * row.seconds + 0.05);
    // What "auto" chose: a library does not say what it sends; others send something, on several ranks.
    EXPECT_EQ(point.all_reduce, "auto");
    EXPECT_EQ(row.all_reduce_ran == "-", point.ranks == 1);
    EXPECT_NE(row.all_reduce_ran, "auto");
    ASSERT_EQ(row.all_reduce_bytes.has_value(), row.all_reduce_ran != "mpi");
    EXPECT_EQ(row.all_reduce_bytes.value_or(1) > 0, point.ranks > 1);
  }
}

TEST(RunStudy, ReadingAndIngestGrowWithTheRanksInWeakScaling) {
  const Place place;
  mpi::on_root(place.world(), [&] { write_pictures(place / "pictures", 12); });
  Study study = place.study();
  study.workloads = {"read-warm", "read-cold", "ingest"};
  study.pictures = 640;
  study.input = place / "pictures";
  study.size = 8;
  study.repeats = 1;
  const std::vector<Row> rows = run_study(place.world(), study, place / "run", false);
  EXPECT_EQ(rows.size(), 3 * expected_timings(place.world().size()) / 2);
  for (const Row& row : rows) {
    const Point& point = row.timing.point;
    const bool reads = point.workload != "ingest";
    const std::int64_t weak = (reads ? 640 : 24) * point.ranks;
    const std::int64_t strong =
        reads ? 640 / point.ranks / 64 * 64 * point.ranks : 24;  // whole batches of 64
    EXPECT_EQ(row.pictures, point.scaling == "weak" ? weak : strong) << point.workload;
    if (reads) {
      EXPECT_GT(row.split.input, 0);
      EXPECT_NEAR(row.split.input + row.split.waiting, row.seconds, 2e-6);  // rows.csv keeps microseconds
    }
  }
}

TEST(RunStudy, ResumesWhereItWasCutOff) {
  const Place place;
  const std::string file = place / "run/rows.csv";
  run_study(place.world(), place.study(), place / "run", true);
  std::string text, first;
  mpi::on_root(place.world(), [&] {
    text = read_text_file(file);
    first = text.substr(0, text.find('\n', csv_header().size()) + 1);
    std::ofstream(file) << first << "train,str";
  });
  const std::vector<Row> rows = run_study(place.world(), place.study(), place / "run", true);
  EXPECT_EQ(rows.size(), expected_timings(place.world().size()));
  std::set<Timing> different;
  for (const Row& row : rows) different.insert(row.timing);
  EXPECT_EQ(different.size(), rows.size());
  mpi::on_root(place.world(), [&] {
    require(read_text_file(file).starts_with(first), "the finished timing was made again");
  });
}

TEST(RunStudy, AnotherStudyIsRefused) {
  const Place place;
  Study study = place.study();
  study.scaling = {"strong"};
  run_study(place.world(), study, place / "run", false);
  const std::string not_empty =
      test::thrown_message<CollectiveError>([&] { run_study(place.world(), study, place / "run", false); });
  EXPECT_NE(not_empty.find("is not empty"), std::string::npos) << not_empty;
  study.steps = 3;
  const std::string differs =
      test::thrown_message<CollectiveError>([&] { run_study(place.world(), study, place / "run", true); });
  EXPECT_NE(differs.find("another study"), std::string::npos) << differs;
}

TEST(RunStudy, MoreThreadsThanCpusAreRefused) {
  const Place place;
  Study study = place.study();
  study.threads = {1, 100'000};
  const std::string message =
      test::thrown_message<UsageError>([&] { run_study(place.world(), study, place / "run", false); });
  EXPECT_NE(message.find("jobs/launch.sh --threads 100000"), std::string::npos) << message;
}

TEST(RunStudy, AFailureOnTheRanksOfAPointEndsAll) {
  const Place place;
  Study study = place.study();
  study.batches = {60};  // more than 80 pictures on two ranks and more
  if (place.world().size() == 1) study.batches = {84};
  const std::string message =
      test::thrown_message<CollectiveError>([&] { run_study(place.world(), study, place / "run", false); });
  EXPECT_NE(message.find("training pictures"), std::string::npos) << message;
}

TEST(WaitAsleep, AWaitingRankUsesHardlyAnyProcessorTime) {
  const mpi::Communicator world = mpi::Communicator::world();
  const auto used = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const auto start = std::chrono::steady_clock::now();
  const double before = used();
  if (world.is_root()) std::this_thread::sleep_for(std::chrono::milliseconds(400));
  mpi::wait_asleep(world);
  const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
  EXPECT_GE(waited.count(), 0.35);
  EXPECT_LT(used() - before, 0.2) << "it spins";
}

}  // namespace
}  // namespace whorl::scale
