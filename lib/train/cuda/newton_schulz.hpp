// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "gpu/memory.hpp"
#include "gpu/stream.hpp"
#include "nn/cuda/kernels/weights.hpp"
#include "nn/precision.hpp"
#include "train/cuda/matrix_products.hpp"

namespace whorl::train {

/// Matrices of one shape that lie equally far apart in the arena: cuBLAS multiplies them by one call.
struct MatrixBatch {
  int rows = 0, columns = 0, count = 0;
  std::int64_t first = 0, distance = 0;  ///< floats into the arena, and from one to the next
  int side() const { return rows < columns ? rows : columns; }
};
/// `matrices` in growing order of their offsets, which the batches keep.
std::vector<MatrixBatch> batches_of(const std::vector<nn::cuda::MuonMatrix>& matrices);

/// Brings the singular values of Muon's matrices near 1, all of them on the GPU:
///
///   for each matrix X (rows, columns), as often as asked for, with rows <= columns:
///     A = X X^T;  P = a I + b A + c A A;  X = P X        FLOPs: 4 rows^2 columns + 2 rows^3
///
/// and X = X P with A = X^T X where there are more rows. Products in the network's precision, with float32
/// sums. (train/muon.cpp does the same with fewer products, for which 16 bits are too few.)
class NewtonSchulz {
 public:
  /// `arena_floats`: matrices are stored at their offsets in arrays of that many elements.
  NewtonSchulz(const std::vector<nn::cuda::MuonMatrix>& matrices, std::size_t arena_floats,
               nn::Precision precision, int iterations, const gpu::Stream& stream);

  nn::cuda::Storage storage() const { return products_.storage(); }
  /// Where the matrices go before run().
  void* input() const { return x_.data(); }
  /// Queues all iterations in the stream. Returns where the results will be, with the input's layout.
  const void* run();

 private:
  void iterate(const MatrixBatch& batch, void* x, void* result);
  std::byte* element(void* matrices, std::int64_t index) const;

  MatrixProducts products_;
  const gpu::Stream& stream_;
  std::vector<MatrixBatch> batches_;
  int iterations_;
  gpu::DeviceMemory x_, next_x_;                  ///< arenas in storage()
  gpu::DeviceMemory gram_, square_, polynomial_;  ///< of one batch
};

}  // namespace whorl::train
