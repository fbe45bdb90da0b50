// SPDX-License-Identifier: BSD-3-Clause
/// What only an emulated GPU can be made to do.
#include <gmock/gmock.h>

#include "base/error.hpp"
#include "gpu/health.hpp"
#include "nn/cuda/gpu_network.hpp"
#include "nn/cuda/kernels/emulator/grid.hpp"
#include "nn_gpu/emulated_runtime.hpp"
#include "nn_gpu/gpu_problem.hpp"

namespace whorl::nn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(EmulatedGpu, HealthComparesWhatCameBack) {
  const gpu::Health health = gpu::examine_gpu(1 << 20);
  EXPECT_TRUE(health.intact);
  EXPECT_GT(health.to_gpu, 0);
  EXPECT_GT(health.from_gpu, 0);
  EXPECT_EQ(health.free_bytes, static_cast<double>(cuda::emulator::memory_left));
}

TEST(EmulatedGpu, EqualBitsInAnyOrderOfBlocksAndThreads) {
  const Problem problem = make_problem(make_network("petal", 16, 10, normalisation), 2, 1);
  const auto executor = gpu_executor(problem);
  const std::vector<float> forward = gradients_of(*executor, problem);
  cuda::emulator::grid().order = cuda::emulator::Order::reverse;
  EXPECT_EQ(gradients_of(*executor, problem), forward);
  cuda::emulator::grid().order = cuda::emulator::Order::forward;
}

TEST(EmulatedGpu, TooLittleMemoryIsToldByLayerAndByWhatFits) {
  const Network network = make_network("air94", 32, 10, normalisation);
  const std::size_t needed = compile(network, "gpu", {.shard_size = 8})->memory_bytes();
  cuda::emulator::memory_left = needed - 1;
  EXPECT_THAT([&] { compile(network, "gpu", {.shard_size = 8}); },
              ThrowsMessage<Error>(AllOf(HasSubstr("network air94 with shards of 8 pictures"),
                                         HasSubstr("most for layer conv1"),
                                         HasSubstr("about 7 pictures would fit (train.shard)"))));
  cuda::emulator::memory_left = 1000;
  EXPECT_THAT([&] { compile(network, "gpu", {.shard_size = 8}); },
              ThrowsMessage<Error>(HasSubstr("not one picture would fit")));
  cuda::emulator::memory_left = needed;
  EXPECT_EQ(compile(network, "gpu", {.shard_size = 8})->memory_bytes(), needed);
  cuda::emulator::memory_left = std::size_t{1} << 30;
}

/// Maps of 6 x 6 x 8 (3 channels padded to 8), pooled to 3 x 3 x 8; 2 logits padded to 8.
TEST(EmulatedGpu, TrafficIsWhatThePassesReadAndWrite) {
  NetworkBuilder builder("small", Shape{3, 6, 6}, normalisation);
  builder.add("conv", Conv{.filters = 8});
  builder.add("pool", Pool{.window = 2, .stride = 2});
  builder.add("norm", BatchNorm{});
  builder.add("act", Activation{});
  builder.add("head", Linear{.outputs = 2});
  constexpr double map = 6 * 6 * 8, pooled = 3 * 3 * 8, logits = 8;
  constexpr double conv = 2 * (map + map);                    // forward, weights
  constexpr double forward = map + pooled + 2 * pooled;       // pooling with sums, batch-norm with activation
  constexpr double backward = 2 * pooled + 2 * pooled + map;  // sums, gradient of the map
  constexpr double head = 3 * (pooled + logits) + 4 * logits;  // and the bias, added and its gradient summed
  constexpr double winners = 2 * pooled;                       // bytes
  EXPECT_EQ(cuda::GpuNetwork(std::move(builder).build(), {.shard_size = 2}).traffic_per_picture(),
            4 * (conv + forward + backward + head) + winners);
}

}  // namespace
}  // namespace whorl::nn
