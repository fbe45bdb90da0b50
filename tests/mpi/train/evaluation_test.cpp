// SPDX-License-Identifier: BSD-3-Clause
// Every test picture counts exactly once, whatever the ranks and batches.
#include <gtest/gtest.h>

#include <numeric>

#include "nn/executor.hpp"
#include "tiny_dataset.hpp"
#include "train/evaluate.hpp"

namespace whorl::train {
namespace {

using test::TinyDataset;

struct CompiledNetwork {
  explicit CompiledNetwork(int shard_size, int threads = 1)
      : network(nn::make_network("petal", test::tiny_size, test::tiny_classes,
                                 {{0.4F, 0.4F, 0.4F}, {0.2F, 0.2F, 0.2F}})),
        replicas(network, "reference", {.shard_size = shard_size}, threads) {
    std::vector<float> parameters(network.parameters.size());
    nn::initialise(network, 5, parameters);
    for (const nn::Tensor& tensor : network.parameters.tensors()) {
      if (tensor.frozen)
        parameters[tensor.offset + tensor.count / 2] = 0.5F;  // the whitening filters start at zero
    }
    replicas.set_parameters(parameters);
  }
  nn::Network network;
  Replicas replicas;
};

TEST(Evaluate, CountsEveryPictureOnceForAwkwardCounts) {
  const mpi::Communicator world = mpi::Communicator::world();
  CompiledNetwork compiled(4, 3);
  for (const int count : {0, 1, 3, 4, 5, 23}) {
    const TinyDataset dataset(1, count);
    const Evaluation result = evaluate(dataset.reader(), dataset::Split::test, compiled.network,
                                       compiled.replicas, 4, "none", world)
                                  .value();
    EXPECT_EQ(result.samples, count);
    std::vector<std::int64_t> labels(test::tiny_classes), rows(test::tiny_classes);
    for (const std::int32_t label : dataset.reader().labels(dataset::Split::test))
      ++labels[static_cast<std::size_t>(label)];
    for (std::size_t i = 0; i < result.confusion.size(); ++i)
      rows[i / test::tiny_classes] += result.confusion[i];
    EXPECT_EQ(rows, labels) << count;
  }
}

TEST(Evaluate, GivesTheSameForAnyNumberOfRanksThreadsAndAnyBatch) {
  const TinyDataset dataset(1, 11);
  for (const std::string& tta : tta_names()) {
    const auto evaluated = [&](int batch, int threads, const mpi::Communicator& comm) {
      CompiledNetwork compiled(4, threads);
      return evaluate(dataset.reader(), dataset::Split::test, compiled.network, compiled.replicas, batch, tta,
                      comm)
          .value();
    };
    const Evaluation alone = evaluated(2, 1, mpi::Communicator::self());
    for (const int batch : {3, 4}) {
      const Evaluation result = evaluated(batch, batch - 2, mpi::Communicator::world());
      EXPECT_EQ(result.confusion, alone.confusion) << tta << batch;
      EXPECT_EQ(result.loss, alone.loss) << tta << batch;
    }
    EXPECT_GT(alone.loss, 0);
  }
}

TEST(Evaluate, EndsWithoutAResultWhereAnyRankIsToStop) {
  const mpi::Communicator world = mpi::Communicator::world();
  const TinyDataset dataset(1, 11);
  CompiledNetwork compiled(1);
  int asked = 0;
  const auto evaluated = [&](const std::function<bool()>& stop) {
    asked = 0;
    return evaluate(dataset.reader(), dataset::Split::test, compiled.network, compiled.replicas, 1, "none",
                    world, stop);
  };
  EXPECT_TRUE(evaluated([&] { return ++asked < 0; }).has_value());
  EXPECT_GE(asked, 1);
  EXPECT_FALSE(evaluated([&] { return ++asked == 1 && world.rank() == world.size() - 1; }).has_value());
  EXPECT_EQ(asked, 1);
}

TEST(Evaluate, ViewsAreAveragedAsLogits) {
  const TinyDataset dataset(1, 5);
  CompiledNetwork compiled(4);
  const auto loss = [&](const std::string& tta) {
    return evaluate(dataset.reader(), dataset::Split::test, compiled.network, compiled.replicas, 4, tta,
                    mpi::Communicator::world())
        ->loss;
  };
  EXPECT_NE(loss("mirror"), loss("none"));
  EXPECT_NE(loss("airbench"), loss("mirror"));
}

}  // namespace
}  // namespace whorl::train
