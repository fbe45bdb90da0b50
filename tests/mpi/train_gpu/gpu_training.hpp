// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gpu/device.hpp"
#include "train/tiny_dataset.hpp"
#include "train/trainer.hpp"

namespace whorl::train {

using test::TinyDataset;

inline constexpr int steps_per_epoch = 3;

/// Two epochs of `shards` shards a step that stay on the GPU.
inline Job gpu_job(int shards) {
  Job job = test::tiny_job("gpu", shards);
  job.train.epochs = 2;
  job.train.reproducible = false;
  job.augment.flip = "alternating";
  job.parallel.all_reduce = "nccl";
  return job;
}

/// Pictures for its epochs; two wait for another epoch.
inline TinyDataset dataset_for(int shards) {
  return TinyDataset(steps_per_epoch * 4 * shards + 2, 6);
}

struct Trained {
  std::vector<float> parameters;
  std::vector<EpochReport> epochs;
  TrainerFacts facts;
};

inline Trained train_all(Trainer& trainer) {
  Trained result;
  while (!trainer.done()) result.epochs.push_back(trainer.next_epoch().value());
  result.parameters = trainer.weights().parameters;
  result.facts = trainer.facts();
  return result;
}
inline Trained train_all(const Job& job, const mpi::Communicator& comm, const dataset::Reader& reader) {
  Trainer trainer(job, comm, reader);
  return train_all(trainer);
}

/// Expects each tensor to be the other's but for `tolerance` of its largest value, and the same losses.
inline void expect_nearly_equal(const Trained& got, const Trained& expected, double tolerance) {
  const nn::ParameterLayout layout =
      nn::make_network("petal", test::tiny_size, test::tiny_classes, {}).parameters;
  for (const nn::Tensor& tensor : layout.tensors()) {
    double largest = 0, difference = 0;
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.count; ++i) {
      largest = std::max(largest, double{std::abs(expected.parameters[i])});
      difference = std::max(difference, double{std::abs(got.parameters[i] - expected.parameters[i])});
    }
    EXPECT_LE(difference, tolerance * largest) << tensor.name;
  }
  ASSERT_EQ(got.epochs.size(), expected.epochs.size());
  for (std::size_t i = 0; i < got.epochs.size(); ++i) {
    EXPECT_NEAR(got.epochs[i].train_loss, expected.epochs[i].train_loss, 10 * tolerance);
    EXPECT_EQ(got.epochs[i].step, expected.epochs[i].step);
    EXPECT_NEAR(got.epochs[i].test->loss, expected.epochs[i].test->loss, 10 * tolerance);
  }
}

/// A GPU for each rank, which may be emulated.
class GpuTraining : public testing::Test {
 protected:
  void SetUp() override {
    const int gpus = gpu::count_gpus();
    if (gpus == 0) GTEST_SKIP() << "there is no GPU here";
    if (gpus < world.size() && !are_emulated)
      GTEST_SKIP() << world.size() << " ranks, but " << gpus << " GPUs";
  }
  static const bool are_emulated;
  const mpi::Communicator world = mpi::Communicator::world(), alone = mpi::Communicator::self();
};

}  // namespace whorl::train
