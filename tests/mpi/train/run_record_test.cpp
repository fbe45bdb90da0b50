// SPDX-License-Identifier: BSD-3-Clause
#include "report/run_record.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "support/thrown_message.hpp"
#include "tiny_dataset.hpp"

namespace whorl::report {
namespace {

namespace fs = std::filesystem;
using test::TinyDataset;

/// One folder for all ranks, made and removed by rank 0.
class SharedFolder : public testing::Test {
 protected:
  SharedFolder() {
    if (world_.is_root()) own_.emplace();
    std::string path = own_ ? own_->path().string() : "";
    world_.broadcast(path);
    path_ = path;
  }
  ~SharedFolder() override { world_.barrier(); }

  const mpi::Communicator world_ = mpi::Communicator::world();
  std::optional<test::TemporaryFolder> own_;
  fs::path path_;
};

using RunFolder = SharedFolder;

TEST_F(RunFolder, IsChosenButNotYetCreated) {
  const fs::path folder = choose_run_folder(world_, (path_ / "a/b").string(), "jobs/x.ini");
  EXPECT_EQ(folder, path_ / "a/b");
  EXPECT_FALSE(fs::exists(path_ / "a"));
  EXPECT_EQ(choose_run_folder(world_, path_.string(), "jobs/x.ini"), path_) << "an empty one is fine";
}

TEST_F(RunFolder, OfARunKilledBeforeItsJobWasWrittenHoldsNone) {
  const TinyDataset dataset(40, 5);
  const train::Job job = test::tiny_job("reference", 5);
  const train::Trainer trainer(job, world_, dataset.reader());
  mpi::on_root(world_, [&] { fs::create_directories(path_ / job_file_name); });  // in its way
  EXPECT_THROW(RunRecord(world_, path_, job, dataset.reader(), trainer, 1.5, "from"), CollectiveError);
  mpi::on_root(world_, [&] { fs::remove(path_ / job_file_name); });
  EXPECT_EQ(facts_of(path_).from, "from") << "whoever finds the job finds this, too";
  EXPECT_EQ(choose_run_folder(world_, path_.string(), "jobs/x.ini"), path_);
}

TEST_F(RunFolder, IsRefusedWhenItHoldsSomething) {
  mpi::on_root(world_, [&] { write_file_atomically(path_ / "metrics.csv", "mine"); });
  const std::string message =
      test::thrown_message<CollectiveError>([&] { choose_run_folder(world_, path_.string(), "jobs/x.ini"); });
  EXPECT_NE(message.find("is not empty"), std::string::npos) << message;
}

TEST_F(RunFolder, OfOneNameForAllRanksIsChosenFromJobAndTime) {
  const fs::path folder = choose_run_folder(world_, "", "jobs/my-job.ini");
  EXPECT_EQ(folder.parent_path(), "runs");
  EXPECT_EQ(folder.filename().string().rfind("my-job-20", 0), 0U) << folder;
  for (const std::string& name : world_.all_gather(folder.string())) EXPECT_EQ(name, folder.string());
}

nlohmann::json read_json(const fs::path& path) {
  return nlohmann::json::parse(read_text_file(path));
}

TEST_F(SharedFolder, RecordsARun) {
  const TinyDataset dataset(40, 5);
  train::Job job = test::tiny_job("reference", 5);
  job.train.epochs = 2;
  job.train.evaluate_every = 2;
  job.evaluate.tta = "mirror";
  train::Trainer trainer(job, world_, dataset.reader());
  const fs::path folder = path_ / "new/run";
  RunRecord record(world_, folder, job, dataset.reader(), trainer, 1.5);
  while (!trainer.done()) record.add(trainer.next_epoch().value());
  const std::string text = record.finish(trainer, trainer.final_evaluation());
  world_.barrier();

  if (world_.is_root()) job.data.file = dataset.reader().path();
  world_.broadcast(job.data.file);  // each rank has its own; rank 0 has written
  EXPECT_EQ(read_text_file(folder / "job.ini"), train::resolved_text(job));
  EXPECT_NE(text.find("test accuracy"), std::string::npos) << text;
  EXPECT_EQ(read_text_file(folder / "verdict.txt"), text);

  const nlohmann::json run = read_json(folder / "run.json");
  EXPECT_EQ(run["ranks"].size(), static_cast<std::size_t>(world_.size()));
  EXPECT_EQ(run["dataset"]["digest"], dataset.reader().digest());
  EXPECT_EQ(run["executor"]["name"], "reference");
  EXPECT_EQ(run["all_reduce"]["algorithm"], "ring");
  EXPECT_FALSE(run["versions"]["git_commit"].get<std::string>().empty());
  EXPECT_EQ(run["result"]["tta"], "mirror");
  EXPECT_EQ(recorded_executor(folder).shard_size, 4);

  const nlohmann::json timing = read_json(folder / "timing.json");
  EXPECT_EQ(timing["epochs"].size(), 2U);
  for (const std::string& name : train::phase::names()) {
    const nlohmann::json& phase = timing["total"][name];
    EXPECT_LE(phase["min"], phase["mean"]) << name;
    EXPECT_LE(phase["mean"], phase["max"]) << name;
  }

  std::istringstream metrics(read_text_file(folder / "metrics.csv"));
  std::string header, first, second, none;
  std::getline(metrics, header);
  std::getline(metrics, first);
  std::getline(metrics, second);
  EXPECT_EQ(
      header,
      "epoch,step,train_loss,train_top1,test_loss,test_top1,learning_rate_factor,images_per_second,seconds");
  EXPECT_EQ(first.rfind("1,2,", 0), 0U) << first;
  EXPECT_NE(first.find(",,"), std::string::npos) << "epoch 1 was not evaluated: " << first;
  EXPECT_EQ(second.rfind("2,4,", 0), 0U) << second;
  EXPECT_FALSE(std::getline(metrics, none));

  EXPECT_EQ(train::load_weights(folder / "weights.h5").parameters, trainer.weights().parameters);
}

TEST_F(SharedFolder, ALineWithoutAnEvaluationIsCompleted) {
  const TinyDataset dataset(40, 5);
  const train::Job job = test::tiny_job("reference", 5);
  train::Trainer trainer(job, world_, dataset.reader());
  train::EpochReport epoch = trainer.next_epoch().value();
  const auto metrics_of = [&](const char* folder, const auto& fill) {
    RunRecord record(world_, path_ / folder, job, dataset.reader(), trainer, 1.5);
    EXPECT_FALSE(record.lacks_test()) << "no line yet";
    fill(record);
    EXPECT_FALSE(record.lacks_test());
    world_.barrier();
    return read_text_file(path_ / folder / "metrics.csv");
  };
  const std::string whole = metrics_of("whole", [&](RunRecord& record) { record.add(epoch); });
  const std::string completed = metrics_of("completed", [&](RunRecord& record) {
    const train::Evaluation test = *std::exchange(epoch.test, std::nullopt);
    record.add(epoch);
    EXPECT_TRUE(record.lacks_test());
    record.add_test(test);
  });
  EXPECT_EQ(completed, whole);
}

}  // namespace
}  // namespace whorl::report
