// SPDX-License-Identifier: BSD-3-Clause
/// Ranks of a node that share out Muon's matrices.
#include "train/optimizer.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/keyed_random.hpp"
#include "mpi/session.hpp"
#include "nn/network.hpp"

namespace whorl::train {
namespace {

struct Trained {
  std::vector<float> parameters, momentum;
  bool operator==(const Trained&) const = default;
};

Trained trained(const nn::Network& network, const mpi::Communicator* node) {
  std::vector<float> parameters(network.parameters.size()), gradients(parameters.size());
  nn::initialise(network, 1, parameters);
  Optimizer optimizer(network, {.kind = "muon"}, 100, 10, node);
  for (std::uint64_t step = 0; step < 2; ++step) {
    KeyedRandom random(1, RandomPurpose::test, 0, step);
    for (float& gradient : gradients) gradient = random.uniform(-1, 1);
    optimizer.step(parameters, gradients, 1, 1, 1);
  }
  return {parameters, optimizer.state().momentum};
}

TEST(SharedMuon, GivesEveryRankTheBitsOfOne) {
  const mpi::Communicator world = mpi::Communicator::world();
  const nn::Network network = nn::make_network("air94", 32, 10, {});
  EXPECT_EQ(trained(network, &world), trained(network, nullptr));
}

}  // namespace
}  // namespace whorl::train
