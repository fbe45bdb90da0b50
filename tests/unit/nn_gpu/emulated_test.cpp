// SPDX-License-Identifier: BSD-3-Clause
/// What only an emulated GPU can be made to do.
#include <gmock/gmock.h>

#include "base/error.hpp"
#include "gpu/health.hpp"
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

}  // namespace
}  // namespace whorl::nn
