// SPDX-License-Identifier: BSD-3-Clause
// Products by (emulated) cuBLAS: Newton-Schulz beside the CPU's, in the emulated GPU's memory, and their
// speed.
#include "train/cuda/newton_schulz.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/keyed_random.hpp"
#include "nn/cuda/kernels/bodies/element.hpp"
#include "nn_gpu/emulated_runtime.hpp"
#include "train/cuda/gpu_ceilings.hpp"
#include "train/muon.hpp"

namespace whorl::train {
namespace {

using nn::cuda::MuonMatrix;

/// Wide, three alike at equal distances, one alike farther away, tall.
const std::vector<MuonMatrix> matrices{{0, 8, 12},   {96, 6, 16},  {208, 6, 16},
                                       {320, 6, 16}, {480, 6, 16}, {576, 16, 4}};
constexpr std::size_t floats = 640;

TEST(NewtonSchulz, MatricesAlikeAtEqualDistancesAreOneBatch) {
  const std::vector<MatrixBatch> batches = batches_of(matrices);
  ASSERT_EQ(batches.size(), 4U);
  EXPECT_EQ(batches[0].count, 1);
  EXPECT_EQ(batches[1].count, 3);
  EXPECT_EQ(batches[1].first, 96);
  EXPECT_EQ(batches[1].distance, 112);
  EXPECT_EQ(batches[2].first, 480);
  EXPECT_EQ(batches[3].side(), 4);
}

template <typename T>
void expect_like_cpu(nn::Precision precision, int iterations, double tolerance) {
  gpu::Stream stream;
  NewtonSchulz newton_schulz(matrices, floats, precision, iterations, stream);
  std::vector<std::vector<float>> inputs;
  for (const MuonMatrix& matrix : matrices) {
    KeyedRandom random(1, RandomPurpose::test, 0, static_cast<std::uint64_t>(matrix.offset));
    std::vector<float>& input = inputs.emplace_back(std::size_t(matrix.rows) * matrix.columns);
    for (float& value : input) value = random.normal();
    const double length = norm(input);
    for (std::size_t i = 0; i < input.size(); ++i) {
      T& stored = static_cast<T*>(newton_schulz.input())[matrix.offset + std::int64_t(i)];
      nn::cuda::from_float(static_cast<float>(double{input[i]} / length), stored);
      input[i] = nn::cuda::to_float(stored);
    }
  }
  const T* results = static_cast<const T*>(newton_schulz.run());
  for (std::size_t m = 0; m < matrices.size(); ++m) {
    Orthogonaliser expected(matrices[m].rows, matrices[m].columns, iterations);
    std::copy(inputs[m].begin(), inputs[m].end(), expected.matrix().begin());
    expected.run();
    for (std::size_t i = 0; i < inputs[m].size(); ++i) {
      ASSERT_NEAR(nn::cuda::to_float(results[matrices[m].offset + std::int64_t(i)]), expected.matrix()[i],
                  tolerance)
          << "matrix " << m << ", element " << i;
    }
  }
}

TEST(NewtonSchulz, IsTheCpus) {
  expect_like_cpu<float>(nn::Precision::float32, 3, 2e-5);
  expect_like_cpu<float>(nn::Precision::tf32, 2, 2e-5);  // emulated products are exact
  expect_like_cpu<nn::cuda::Half>(nn::Precision::float16, 3, 1e-2);
  expect_like_cpu<nn::cuda::BFloat16>(nn::Precision::bfloat16, 1, 3e-2);
}

/// In the emulator, a product or copy takes a millisecond, and so does the mark behind it.
TEST(GpuCeilings, CountsWhatTheLargestSquaresThatFitTake) {
  constexpr double seconds = 2e-3, flops = 2.0 * 128 * 128 * 128;
  const GpuCeilings wide = measure_ceilings(nn::Precision::float32, 4 * 128 * 128 + 5);
  EXPECT_DOUBLE_EQ(wide.flops, flops / seconds);
  EXPECT_DOUBLE_EQ(wide.bytes, 2 * (4 * 128 * 128 + 5) / seconds);
  EXPECT_DOUBLE_EQ(measure_ceilings(nn::Precision::float16, 2 * 129 * 255).flops, flops / seconds);
}

TEST(GpuCeilings, AreUnknownWithoutMemory) {
  const std::size_t before = std::exchange(nn::cuda::emulator::memory_left, std::size_t{128} << 20);
  const GpuCeilings ceilings = measure_ceilings(nn::Precision::float32, 4 * 128 * 128);
  EXPECT_EQ(ceilings.flops, 0);
  EXPECT_EQ(ceilings.bytes, 0);
  nn::cuda::emulator::memory_left = before;
}

}  // namespace
}  // namespace whorl::train
