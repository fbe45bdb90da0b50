// SPDX-License-Identifier: BSD-3-Clause
/// What only an emulated GPU shows.
#include <gmock/gmock.h>

#include <cstdlib>

#include "nn_gpu/emulated_runtime.hpp"
#include "train_gpu/emulated_nccl.hpp"
#include "train_gpu/gpu_training.hpp"

namespace whorl::train {

const bool GpuTraining::are_emulated = true;

namespace {

namespace emulator = nn::cuda::emulator;
using ::testing::HasSubstr;

TEST_F(GpuTraining, AllStepsButTheFirstAreGraphs) {
  const TinyDataset dataset = dataset_for(world.size());
  const int before = emulator::graph_launches;
  train_all(gpu_job(world.size()), world, dataset.reader());
  EXPECT_EQ(emulator::graph_launches - before, 2 * steps_per_epoch - 1);
}

TEST_F(GpuTraining, PicturesThatDoNotFitArriveInTime) {
  const TinyDataset dataset = dataset_for(world.size());
  const Job job = gpu_job(world.size());
  const Trained expected = train_all(job, world, dataset.reader());
  EXPECT_THAT(expected.facts.executor,
              HasSubstr(fmt::format("{} pictures in GPU memory", 12 * world.size() + 2)));
  emulator::memory_left = std::size_t{400} << 20;
  const Trained got = train_all(job, world, dataset.reader());
  emulator::memory_left = std::size_t{1} << 30;
  EXPECT_THAT(got.facts.executor, HasSubstr(" 8 pictures in GPU memory"));
  EXPECT_EQ(got.parameters, expected.parameters);
}

TEST_F(GpuTraining, NcclSumsAsTheJobSays) {
  if (world.size() == 1) GTEST_SKIP() << "one rank has nothing to sum";
  const TinyDataset dataset = dataset_for(world.size());
  Job job = gpu_job(world.size());
  const auto all_reduce = [&] { return Trainer(job, world, dataset.reader()).facts().all_reduce; };
  EXPECT_EQ(all_reduce(), "nccl ring");
  EXPECT_EQ(emulator::nccl_algorithm, "ring");
  job.parallel.nccl_algorithm = "tree";
  EXPECT_EQ(all_reduce(), "nccl tree");
  EXPECT_EQ(emulator::nccl_algorithm, "tree");
  setenv("NCCL_ALGO", "NVLS", 1);
  job.parallel.nccl_algorithm = "auto";
  EXPECT_EQ(all_reduce(), "nccl");
  EXPECT_EQ(emulator::nccl_algorithm, "NVLS");
}

/// In the emulator, each kernel, product or copy takes a millisecond.
TEST_F(GpuTraining, PhasesAreTimed) {
  const TinyDataset dataset = dataset_for(world.size());
  const Trained trained = train_all(gpu_job(world.size()), world, dataset.reader());
  const std::vector<mpi::PhaseStatistics>& phases = trained.epochs.front().phases;
  const double forward = phases[phase::forward].mean, backward = phases[phase::backward].mean;
  EXPECT_NEAR(forward, std::round(forward * 1e3) * 1e-3, 1e-6);
  EXPECT_GT(forward, steps_per_epoch * 1e-2);
  EXPECT_GT(backward, forward);
  EXPECT_GE(phases[phase::optimizer].mean, steps_per_epoch * 3e-3);
  if (world.size() == 1) {
    EXPECT_EQ(phases[phase::all_reduce_exposed].mean, 0);
    EXPECT_EQ(phases[phase::all_reduce_hidden].mean, 0);
  } else {
    EXPECT_GT(phases[phase::all_reduce_hidden].mean, steps_per_epoch * 3e-3);
  }
}

}  // namespace
}  // namespace whorl::train
