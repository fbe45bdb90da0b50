// SPDX-License-Identifier: BSD-3-Clause
/// Steps that stay on the GPU train the weights that steps driven by the host do. On GPUs or, elsewhere,
/// emulated.
#include <gmock/gmock.h>

#include "base/error.hpp"
#include "support/thrown_message.hpp"
#include "train_gpu/gpu_training.hpp"

namespace whorl::train {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// The same job with exact sums goes through the host.
void expect_same_as_by_host(Job job, const mpi::Communicator& alone) {
  if (mpi::Communicator::world().size() > 1) GTEST_SKIP() << "one rank has shown it";
  const TinyDataset dataset = dataset_for(static_cast<int>(job.train.batch) / job.train.shard);
  const Trained on_gpu = train_all(job, alone, dataset.reader());
  EXPECT_THAT(on_gpu.facts.executor, HasSubstr("steps as CUDA graphs"));
  job.train.reproducible = true;
  job.parallel.all_reduce = "ring";
  const Trained by_host = train_all(job, alone, dataset.reader());
  EXPECT_THAT(by_host.facts.executor, Not(HasSubstr("graphs")));
  expect_nearly_equal(on_gpu, by_host, 2e-5);
}

TEST_F(GpuTraining, SgdIsTheHosts) {
  Job job = gpu_job(2);
  job.optimizer.decay_bias = true;
  job.optimizer.whitening_bias_epochs = 1;
  job.schedule.kind = "cosine";
  expect_same_as_by_host(job, alone);
}

TEST_F(GpuTraining, MuonWithLookaheadIsTheHosts) {
  Job job = gpu_job(1);
  job.optimizer.kind = "muon";
  job.optimizer.decay = "decoupled";
  job.optimizer.muon_learning_rate = 0.01;
  job.optimizer.lookahead_every = 3;
  expect_same_as_by_host(job, alone);
}

TEST_F(GpuTraining, APartOfAnEpochIsTheHosts) {
  Job job = gpu_job(1);
  job.train.epochs = 1.4;
  job.optimizer.loss = "sum";
  job.optimizer.learning_rate = 0.001;
  job.optimizer.decay = "coupled-by-rate";
  job.augment.flip = "random";
  expect_same_as_by_host(job, alone);
}

void expect_same_as_alone(int shards, const mpi::Communicator& world, const mpi::Communicator& alone) {
  const TinyDataset dataset = dataset_for(shards);
  Job job = gpu_job(shards);
  job.train.epochs = 1;
  expect_nearly_equal(train_all(job, world, dataset.reader()), train_all(job, alone, dataset.reader()), 2e-5);
}

TEST_F(GpuTraining, RanksTrainTheWeightsOfOne) {
  expect_same_as_alone(world.size(), world, alone);
  expect_same_as_alone(world.size() + 1, world, alone);  // of which rank 0 has two
}
TEST_F(GpuTraining, RanksWithoutShardsTrainTheWeightsOfOne) {
  expect_same_as_alone(1, world, alone);
}

TEST_F(GpuTraining, EqualRunsAreEqualBitForBit) {
  const TinyDataset dataset = dataset_for(world.size());
  Job job = gpu_job(world.size());
  job.train.epochs = 1;
  EXPECT_EQ(train_all(job, world, dataset.reader()).parameters,
            train_all(job, world, dataset.reader()).parameters);
}

TEST_F(GpuTraining, GoesOnFromAnyStep) {
  const TinyDataset dataset = dataset_for(world.size());
  Job job = gpu_job(world.size());
  job.optimizer.lookahead_every = 3;
  Trainer undisturbed(job, world, dataset.reader());
  std::vector<State> states;
  std::vector<double> losses;
  const auto keep = [&](std::int64_t, Requests) {
    states.push_back(undisturbed.state());
    return true;
  };
  while (!undisturbed.done())
    losses.push_back(undisturbed.next_epoch({.ask = {}, .after_step = keep})->train_loss);
  for (const std::size_t step : {1U, 4U}) {
    const State& state = states[step - 1];
    EXPECT_EQ(state.step, static_cast<std::int64_t>(step));
    Trainer resumed(job, world, dataset.reader());
    resumed.restore(state);
    const Trained rest = train_all(resumed);
    EXPECT_EQ(rest.parameters, undisturbed.weights().parameters) << "from step " << step;
    EXPECT_EQ(rest.epochs.back().train_loss, losses.back()) << "from step " << step;
  }
}

TEST_F(GpuTraining, StopsWhereAnyRankAsks) {
  const TinyDataset dataset = dataset_for(world.size());
  Trainer trainer(gpu_job(world.size()), world, dataset.reader());
  const bool asks = world.rank() == world.size() - 1;
  const auto ask = [&] { return Requests{.stop = asks && trainer.steps_done() == 1, .checkpoint = false}; };
  const auto after_step = [](std::int64_t, Requests agreed) { return !agreed.stop; };
  EXPECT_FALSE(trainer.next_epoch({.ask = ask, .after_step = after_step}));
  EXPECT_EQ(trainer.steps_done(), 2);
}

/// Of shards of 4, the last is a part of one. Logarithms of a GPU may differ in their last bit.
TEST_F(GpuTraining, EvaluatesAsTheHostDoes) {
  const TinyDataset dataset(steps_per_epoch * 4 * world.size(), 23);
  Job job = gpu_job(world.size());
  job.train.epochs = 1;
  for (const std::string& tta : tta_names()) {
    job.evaluate.tta = tta;
    Trainer trainer(job, world, dataset.reader());
    train_all(trainer);
    const Evaluation got = trainer.final_evaluation().value();
    const Weights weights = trainer.weights();
    Replicas replicas(weights.network, "gpu", {.shard_size = 4}, 1);
    replicas.set_parameters(weights.parameters);
    const Evaluation expected =
        evaluate(dataset.reader(), dataset::Split::test, weights.network, replicas, 4, tta, world).value();
    EXPECT_EQ(got.samples, 23);
    EXPECT_EQ(got.confusion, expected.confusion) << tta;
    EXPECT_NEAR(got.loss, expected.loss, are_emulated ? 0 : Score::unit) << tta;
  }
}

TEST_F(GpuTraining, AnEvaluationEndsWhereAnyRankAsks) {
  const TinyDataset dataset = dataset_for(world.size());
  Trainer trainer(gpu_job(world.size()), world, dataset.reader());
  const bool asks = world.rank() == world.size() - 1;
  const auto ask = [&] {
    return Requests{.stop = asks && trainer.steps_done() == steps_per_epoch, .checkpoint = false};
  };
  EXPECT_FALSE(trainer.next_epoch({.ask = ask, .after_step = {}})->test);
  EXPECT_TRUE(trainer.next_epoch()->test);
}

TEST_F(GpuTraining, DivergenceNamesTheStep) {
  const TinyDataset dataset = dataset_for(1);
  Job job = gpu_job(1);
  job.optimizer.learning_rate = 1e9;
  job.optimizer.loss = "sum";
  Trainer trainer(job, alone, dataset.reader());
  const std::string message = test::thrown_message<CollectiveError>([&] {
    while (!trainer.done()) trainer.next_epoch();
  });
  EXPECT_THAT(message,
              AllOf(HasSubstr("training has diverged: in epoch 1, in step "),
                    HasSubstr("the loss is no longer finite"), HasSubstr("lower the learning rate")));
}

TEST_F(GpuTraining, WhatIsNotDrawnOnTheGpuGoesThroughTheHost) {
  const TinyDataset dataset = dataset_for(1);
  Job job = gpu_job(1);
  job.augment.cutout = 4;
  job.parallel.all_reduce = "ring";
  EXPECT_THAT(Trainer(job, alone, dataset.reader()).facts().executor, Not(HasSubstr("graphs")));
}

}  // namespace
}  // namespace whorl::train
