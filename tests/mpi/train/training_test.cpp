// SPDX-License-Identifier: BSD-3-Clause
// The weights that P ranks train are those that one rank trains from the same shards: bit for bit where
// gradients are summed exactly, else but for the order of float sums.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "gpu/device.hpp"
#include "nn/executor.hpp"
#include "support/thrown_message.hpp"
#include "tiny_dataset.hpp"
#include "train/loader.hpp"
#include "train/trainer.hpp"

namespace whorl::train {
namespace {

using test::tiny_job;
using test::TinyDataset;

struct Trained {
  std::vector<float> parameters;
  std::vector<EpochReport> epochs;
};

Trained train_all(const Job& job, const mpi::Communicator& comm, const dataset::Reader& reader) {
  Trainer trainer(job, comm, reader);
  Trained result;
  while (!trainer.done()) result.epochs.push_back(trainer.next_epoch().value());
  result.parameters = trainer.weights().parameters;
  return result;
}

/// Largest difference over a tensor, in units of the tensor's largest value.
double largest_difference(const nn::ParameterLayout& layout, std::span<const float> a,
                          std::span<const float> b) {
  double largest = 0;
  for (const nn::Tensor& tensor : layout.tensors()) {
    double scale = 1e-30, difference = 0;
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.count; ++i) {
      scale = std::max<double>(scale, std::abs(b[i]));
      difference = std::max<double>(difference, std::abs(a[i] - b[i]));
    }
    largest = std::max(largest, difference / scale);
  }
  return largest;
}

double change_of(const Trained& trained, const mpi::Communicator& comm, const Job& job,
                 const dataset::Reader& reader) {
  const Trainer untrained(job, comm, reader);
  return largest_difference(untrained.weights().network.parameters, trained.parameters,
                            untrained.weights().parameters);
}

class AnyExecutor : public testing::TestWithParam<std::string> {
  void SetUp() override {
    if (GetParam() == "gpu" && gpu::count_gpus() == 0) GTEST_SKIP() << "there is no GPU here";
  }
};

/// Trains `shards` shards a step on all ranks, and all of them on each rank alone, on one thread.
void expect_same_as_alone(const std::string& device, int shards, bool reproducible = true, int threads = 1) {
  constexpr int steps = 3;
  const int pictures = steps * 4 * shards + 3;  // three wait for another epoch
  const TinyDataset dataset(pictures, 6);
  Job job = tiny_job(device, shards);
  job.train.reproducible = reproducible;
  job.parallel.share_gpu = true;
  // The last bits of float sums differ, and Winograd's algorithm makes more of them.
  if (!reproducible) job.parallel.algorithms = "direct";
  const mpi::Communicator world = mpi::Communicator::world(), alone = mpi::Communicator::self();
  job.parallel.threads = threads;
  const Trained together = train_all(job, world, dataset.reader());
  job.parallel.threads = 1;
  const Trained single = train_all(job, alone, dataset.reader());
  const nn::ParameterLayout layout =
      nn::make_network("petal", test::tiny_size, test::tiny_classes, {}).parameters;
  if (reproducible) {
    EXPECT_EQ(weights_digest(together.parameters), weights_digest(single.parameters));
    EXPECT_EQ(together.epochs.at(0).train_loss, single.epochs.at(0).train_loss);
    EXPECT_EQ(together.epochs.at(0).test->loss, single.epochs.at(0).test->loss);
  }
  EXPECT_LT(largest_difference(layout, together.parameters, single.parameters), 2e-5);
  EXPECT_GT(change_of(single, alone, job, dataset.reader()), 1e-2) << "the training changed nothing";
  ASSERT_EQ(together.epochs.size(), 1U);
  EXPECT_NEAR(together.epochs[0].train_loss, single.epochs[0].train_loss, 1e-5);
  EXPECT_EQ(together.epochs[0].step, steps);
}

int ranks() {
  return mpi::Communicator::world().size();
}

TEST_P(AnyExecutor, EqualSharesTrainTheSameWeights) {
  expect_same_as_alone(GetParam(), 2 * ranks());
}
TEST_P(AnyExecutor, UnequalSharesTrainTheSameWeights) {
  expect_same_as_alone(GetParam(), ranks() + 1);
}
TEST_P(AnyExecutor, RanksWithoutShardsTrainTheSameWeights) {
  expect_same_as_alone(GetParam(), 1);
}
TEST_P(AnyExecutor, FloatSumsTrainNearlyTheSameWeights) {
  expect_same_as_alone(GetParam(), ranks() + 1, false);
}

TEST(Threads, TrainTheSameWeights) {
  expect_same_as_alone("cpu", 2 * ranks(), true, 2);
  expect_same_as_alone("cpu", 2 * ranks() + 1, true, 3);
}
TEST(Threads, FloatSumsTrainNearlyTheSameWeights) {
  expect_same_as_alone("cpu", 2 * ranks() + 1, false, 2);
}

INSTANTIATE_TEST_SUITE_P(Executors, AnyExecutor, testing::ValuesIn(nn::available_backends()),
                         [](const auto& device) { return device.param; });

TEST(Training, EveryAllReduceTrainsTheSameWeights) {
  const TinyDataset dataset(40, 0);
  const mpi::Communicator world = mpi::Communicator::world();
  Job job = tiny_job("cpu", 5);
  const Trained ring = train_all(job, world, dataset.reader());
  Job direct = job;
  direct.parallel.algorithms = "direct";  // Winograd's makes more of the last bits of float sums
  const Trained direct_ring = train_all(direct, world, dataset.reader());
  direct.train.reproducible = false;
  const nn::ParameterLayout layout =
      nn::make_network("petal", test::tiny_size, test::tiny_classes, {}).parameters;
  for (const std::string& algorithm : collective::available_algorithms()) {
    if (algorithm == "nccl" && gpu::count_gpus() < world.size()) continue;  // tests/mpi/collective says so
    job.parallel.all_reduce = direct.parallel.all_reduce = algorithm;
    job.parallel.progress = direct.parallel.progress = algorithm == "ring" ? "thread" : "polling";
    EXPECT_EQ(weights_digest(train_all(job, world, dataset.reader()).parameters),
              weights_digest(ring.parameters))
        << algorithm;
    const Trained rounded = train_all(direct, world, dataset.reader());
    EXPECT_LT(largest_difference(layout, rounded.parameters, direct_ring.parameters), 2e-5) << algorithm;
  }
}

TEST(Training, ANamedAllReduceIsTimedToo) {
  const TinyDataset dataset(40, 0);
  Job job = tiny_job("reference", 2);
  job.parallel.all_reduce = "central";
  const mpi::Communicator world = mpi::Communicator::world();
  const Trainer trainer(job, world, dataset.reader());
  const TrainerFacts facts = trainer.facts();
  EXPECT_EQ(facts.all_reduce, "central");
  ASSERT_EQ(facts.all_reduce_timings.size(), world.size() == 1 ? 0U : 1U);
  for (const collective::Timing& timing : facts.all_reduce_timings) EXPECT_GT(timing.seconds, 0);
}

TEST(Training, AutoTakesTheFastestOfWhatItTimed) {
  const TinyDataset dataset(40, 0);
  Job job = tiny_job("reference", 2);
  job.parallel.all_reduce = "auto";
  const mpi::Communicator world = mpi::Communicator::world();
  const Trainer trainer(job, world, dataset.reader());
  const TrainerFacts facts = trainer.facts();
  if (world.size() == 1) {
    EXPECT_TRUE(facts.all_reduce_timings.empty());
    return;
  }
  std::vector<std::string> timed;
  for (const collective::Timing& timing : facts.all_reduce_timings) timed.push_back(timing.algorithm);
  EXPECT_EQ(timed, (std::vector<std::string>{"shared", "ring", "mpi"})) << "all ranks are on one node";
  const auto best = std::ranges::min_element(facts.all_reduce_timings, {}, &collective::Timing::seconds);
  EXPECT_EQ(facts.all_reduce, best->algorithm);
  EXPECT_GT(best->seconds, 0);
}

TEST(Training, AFractionOfAnEpochEndsEarly) {
  const TinyDataset dataset(40, 3);
  Job job = tiny_job("reference", 2);  // 5 steps an epoch
  job.train.epochs = 1.4;
  job.train.evaluate_every = 0;
  const mpi::Communicator world = mpi::Communicator::world();
  Trainer trainer(job, world, dataset.reader());
  EXPECT_EQ(trainer.epochs(), 2);
  const EpochReport first = trainer.next_epoch().value();
  EXPECT_EQ(first.step, 5);
  EXPECT_FALSE(first.test.has_value());
  EXPECT_FALSE(trainer.done());
  std::int64_t steps = 0;
  const auto count = [&](std::int64_t done, Requests) { return (steps = done) > 0; };
  const EpochReport last = trainer.next_epoch({.ask = {}, .after_step = count}).value();
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(last.step, 7);
  ASSERT_TRUE(last.test.has_value());
  EXPECT_EQ(last.test->samples, 3);
  EXPECT_TRUE(trainer.done());
}

TEST(Training, PhasesOnTheClockAddUpToTheEpoch) {
  const TinyDataset dataset(40, 5);
  const mpi::Communicator world = mpi::Communicator::world();
  Trainer trainer(tiny_job("reference", 5), world, dataset.reader());
  const EpochReport epoch = trainer.next_epoch().value();
  ASSERT_EQ(epoch.phases.size(), phase::names().size());
  double named = -epoch.phases[phase::evaluate].mean;
  for (const auto part : phase::on_the_clock) named += epoch.phases[part].mean;
  EXPECT_GE(named, 0.9 * epoch.train_seconds / world.size());
  EXPECT_GT(epoch.phases[phase::forward].mean, 0);
  EXPECT_GT(epoch.phases[phase::backward].mean, 0);
  EXPECT_GT(epoch.phases[phase::evaluate].mean, 0);
  EXPECT_EQ(epoch.phases[phase::read].per_rank.size(), static_cast<std::size_t>(world.size()));
}

TEST(Training, WaitingForTheLastRankOfAStepIsNotCommunication) {
  const mpi::Communicator world = mpi::Communicator::world();
  const int rank = world.rank(), last = world.size() - 1;
  mpi::PhaseTimer timer(phase::names());
  phase::add_exposed(timer, {0.25 + rank, 0.5 + last - rank}, world);  // rank 0 comes last, then rank `last`
  EXPECT_EQ(timer.seconds(phase::all_reduce_exposed), 0.75);
  EXPECT_EQ(timer.seconds(phase::rank_wait), last);
}

class Divergence : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Reproducible, Divergence, testing::Bool());

TEST_P(Divergence, StopsEveryRankWithEpochAndStep) {
  const TinyDataset dataset(40, 3);
  Job job = tiny_job("reference", 2);
  job.train.reproducible = GetParam();
  job.optimizer.learning_rate = 1e9;
  job.optimizer.weight_decay = 1000;
  const mpi::Communicator world = mpi::Communicator::world();
  const std::string message =
      test::thrown_message<CollectiveError>([&] { train_all(job, world, dataset.reader()); });
  EXPECT_NE(message.find("training has diverged: in epoch 1, step "), std::string::npos) << message;
  if (GetParam()) {  // exact sums notice it while every shard's gradient is still finite
    EXPECT_NE(message.find("have grown more than 10,000-fold in one step"), std::string::npos) << message;
  } else {
    EXPECT_NE(message.find("first in the forward pass, in "), std::string::npos) << message;
    EXPECT_NE(message.find(", over the training pictures "), std::string::npos) << message;
  }
}

// With exact sums, the default, step 2 goes on from weights whose products float32 cannot hold.
TEST(Training, DivergenceOfExactSumsNamesStepLayerAndPictures) {
  const TinyDataset dataset(40, 3);
  const Job job = tiny_job("reference", 2);
  ASSERT_TRUE(job.train.reproducible);
  const mpi::Communicator world = mpi::Communicator::world();
  Trainer trainer(job, world, dataset.reader());
  trainer.next_epoch({.ask = {}, .after_step = [](std::int64_t, Requests) { return false; }});
  State state = trainer.state();
  const nn::Network network = trainer.weights().network;
  for (const nn::Tensor& tensor : network.parameters.tensors()) {
    if (tensor.name == "conv2.weight")
      std::fill_n(state.parameters.begin() + static_cast<std::ptrdiff_t>(tensor.offset), tensor.count, 3e38F);
  }
  trainer.restore(state);
  const std::string message = test::thrown_message<CollectiveError>([&] { trainer.next_epoch(); });
  const dataset::EpochOrder order(job.train.seed, 0, 40);
  const std::string expected = fmt::format(
      "training has diverged: in epoch 1, step 2, the loss or its gradient is no longer finite; first in the "
      "forward pass, in norm2 or before it, over the training pictures {}; lower",
      fmt::join(samples_of_shard(trainer.facts().plan_of_epoch, order, 1, 0), ", "));
  EXPECT_TRUE(message.starts_with(expected)) << message << "\ninstead of\n" << expected;
}

TEST(Training, DatasetsThatDifferBetweenRanksAreRefused) {
  const mpi::Communicator world = mpi::Communicator::world();
  if (world.size() == 1) GTEST_SKIP() << "needs two ranks";
  const TinyDataset dataset(world.rank() == world.size() - 1 ? 41 : 40, 3);
  const std::string message = test::thrown_message<CollectiveError>(
      [&] { Trainer(tiny_job("reference", 2), world, dataset.reader()); });
  EXPECT_NE(message.find("the dataset"), std::string::npos) << message;
}

}  // namespace
}  // namespace whorl::train
