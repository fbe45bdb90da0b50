// SPDX-License-Identifier: BSD-3-Clause
// Exact sums of shards that are dealt out to the ranks, and on each rank to two threads.
#include "train/gradient_sum.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/block_range.hpp"
#include "base/error.hpp"
#include "base/thread_team.hpp"
#include "collective/packed.hpp"
#include "nn/network.hpp"

namespace whorl::train {
namespace {

constexpr int shards = 5, replicas = 2;

class ExactSum : public testing::Test {
 protected:
  using Shards = std::vector<float>;

  /// One step. Shard i has `values[i]` in every place of every tensor but the last, and lasts[i] there.
  bool step(const Shards& values, const Shards& lasts) {
    const Range mine = block_range(shards, world.size(), world.rank());
    const Range of_first = part_of(mine, 0);
    sum.begin_step({});
    const bool learns = !sum.is_calibrated() && of_first.size() > 0;
    if (learns) add_shard(0, of_first.begin, of_first, values, lasts);
    team.run(replicas, [&](int replica) {
      const Range part = part_of(mine, replica);
      for (std::int64_t i = part.begin + (learns && replica == 0 ? 1 : 0); i < part.end; ++i)
        add_shard(replica, i, part, values, lasts);
    });
    return sum.finish_step().is_finite;
  }

  static Range part_of(Range mine, int replica) {
    const Range part = block_range(mine.size(), replicas, replica);
    return {mine.begin + part.begin, mine.begin + part.end};
  }

  void add_shard(int replica, std::int64_t i, Range part, const Shards& values, const Shards& lasts) {
    const bool is_last = i + 1 == part.end;
    for (const nn::Tensor& tensor : layout.tensors()) {
      const bool at_end = &tensor == &layout.tensors().back();
      const float value = (at_end ? lasts : values).at(static_cast<std::size_t>(i));
      for (float& gradient : sum.arena(replica).subspan(tensor.offset, tensor.count)) gradient += value;
      sum.ready(replica, tensor.offset + tensor.count, is_last);
    }
    sum.end_shard(replica, is_last);
  }

  void expect_sum(float value, float last) {
    for (const nn::Tensor& tensor : layout.tensors()) {
      const bool at_end = &tensor == &layout.tensors().back();
      for (const float gradient : sum.sum().subspan(tensor.offset, tensor.count))
        ASSERT_EQ(gradient, at_end ? last : value) << tensor.name;
    }
  }

  const mpi::Communicator world = mpi::Communicator::world();
  const nn::ParameterLayout layout = nn::make_network("petal", 16, 5, {}).parameters;
  const std::unique_ptr<collective::AllReduce> ring = collective::make_all_reduce("ring", world);
  ThreadTeam team{replicas};
  ExactGradientSum sum{*ring, world, layout, shards, 10'000, replicas};

  const Shards ones = Shards(shards, 1.0F), none = Shards(shards, 0.0F);
};

TEST_F(ExactSum, LosesNothingThatCancels) {
  // In float32, what is left would depend on the order.
  EXPECT_TRUE(step({1e8F, 1.0F, -1e8F, 0.125F, 3.0F}, ones));
  expect_sum(4.125F, 5.0F);
  EXPECT_TRUE(step({1.0F, 0x1p13F, -0x1p13F, 0.125F, 0x1p-23F}, {-1.0F, -2.0F, -4.0F, -8.0F, -16.0F}));
  expect_sum(1.125F + 0x1p-23F, -31.0F);
}

TEST_F(ExactSum, FollowsTheGradientUpAndDown) {
  float size = 1.0F;
  for (const float factor : {1.0F, 0x1p-9F, 0x1p-20F, 0x1p12F, 0x1p14F, 0x1p14F}) {
    size *= factor;
    ASSERT_TRUE(step(Shards(shards, size), Shards(shards, 3 * size))) << factor;
    expect_sum(5 * size, 15 * size);
  }
}

TEST_F(ExactSum, GoesBetweenNodesInFiveBytesEachWithRoomToGrow) {
  for (const float size : {1.0F, 1.0F, 4.0F}) {
    EXPECT_TRUE(step(Shards(shards, size), Shards(shards, 3 * size)));
    const collective::Values sums = sum.buckets().arena();
    EXPECT_EQ(collective::packed_width({reinterpret_cast<std::int64_t*>(sums.data()), sums.size()}), 5U)
        << size;
  }
}

TEST_F(ExactSum, ATensorThatWasZeroMayComeToLife) {
  EXPECT_TRUE(step(ones, none));
  expect_sum(5.0F, 0.0F);
  EXPECT_TRUE(step(ones, Shards(shards, -8.0F)));
  expect_sum(5.0F, -40.0F);
  EXPECT_TRUE(step(none, none));
  expect_sum(0.0F, 0.0F);
  EXPECT_TRUE(step(ones, ones));
  expect_sum(5.0F, 5.0F);
}

TEST_F(ExactSum, EveryRankLearnsOfOneValueThatIsNotFinite) {
  for (const float value :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_TRUE(step(ones, ones));
    EXPECT_FALSE(step(ones, {1.0F, 1.0F, 1.0F, value, 1.0F}));
  }
}

TEST_F(ExactSum, EveryRankLearnsOfGrowthBeyondTheUnits) {
  EXPECT_TRUE(step(ones, ones));
  EXPECT_FALSE(step({1.0F, 1.0F, 1.0F, 1.0F, 0x1p20F}, ones));
}

TEST_F(ExactSum, RefusesUnitsThatNoGradientHas) {
  const std::size_t tensors = layout.tensors().size();
  EXPECT_NO_THROW(sum.restore(std::vector<std::int32_t>(tensors, -150)));
  EXPECT_THROW(sum.restore(std::vector<std::int32_t>(tensors, std::numeric_limits<std::int32_t>::min())),
               Error);
  EXPECT_THROW(sum.restore(std::vector<std::int32_t>(tensors + 1, 0)), Error);
}

TEST_F(ExactSum, AFirstShardThatIsNotFiniteIsNoticed) {
  EXPECT_FALSE(step({std::numeric_limits<float>::quiet_NaN(), 1.0F, 1.0F, 1.0F, 1.0F}, ones));
}

}  // namespace
}  // namespace whorl::train
