// SPDX-License-Identifier: BSD-3-Clause
#include "train/cuda/newton_schulz.hpp"

#include <algorithm>
#include <utility>

namespace whorl::train {

std::vector<MatrixBatch> batches_of(const std::vector<nn::cuda::MuonMatrix>& matrices) {
  std::vector<MatrixBatch> batches;
  for (const nn::cuda::MuonMatrix& matrix : matrices) {
    if (!batches.empty()) {
      MatrixBatch& last = batches.back();
      const std::int64_t distance = matrix.offset - (last.first + (last.count - 1) * last.distance);
      const bool is_alike = last.rows == matrix.rows && last.columns == matrix.columns;
      if (is_alike && (last.count == 1 || distance == last.distance)) {
        last.distance = distance;
        ++last.count;
        continue;
      }
    }
    batches.push_back({matrix.rows, matrix.columns, 1, matrix.offset, 0});
  }
  return batches;
}

NewtonSchulz::NewtonSchulz(const std::vector<nn::cuda::MuonMatrix>& matrices, std::size_t arena_floats,
                           nn::Precision precision, int iterations, const gpu::Stream& stream)
    : products_(precision, stream),
      stream_(stream),
      batches_(batches_of(matrices)),
      iterations_(iterations),
      x_(arena_floats * bytes_of(storage()), "Muon's matrices"),
      next_x_(x_.bytes(), "Muon's matrices") {
  std::size_t largest = 0;
  for (const MatrixBatch& batch : batches_)
    largest = std::max(largest, std::size_t(batch.count) * batch.side() * batch.side());
  for (gpu::DeviceMemory* square : {&gram_, &square_, &polynomial_})
    *square = gpu::DeviceMemory(largest * bytes_of(storage()), "Muon's products");
}

const void* NewtonSchulz::run() {
  void *x = x_.data(), *next = next_x_.data();
  for (int i = 0; i < iterations_; ++i) {
    for (const MatrixBatch& batch : batches_) iterate(batch, x, next);
    std::swap(x, next);
  }
  return x;
}

// A matrix stored by rows, (rows, columns), is one of (columns, rows) stored by columns.
void NewtonSchulz::iterate(const MatrixBatch& batch, void* x, void* result) {
  const int side = batch.side(), rows = batch.rows, columns = batch.columns;
  const bool is_wide = rows <= columns;
  const std::int64_t square = std::int64_t{side} * side;
  const void* from = element(x, batch.first);
  void* to = element(result, batch.first);
  products_.multiply({is_wide ? CUBLAS_OP_T : CUBLAS_OP_N, is_wide ? CUBLAS_OP_N : CUBLAS_OP_T, side, side,
                      is_wide ? columns : rows, from, columns, batch.distance, from, columns, batch.distance,
                      gram_.data(), square},
                     batch.count);
  products_.multiply({CUBLAS_OP_N, CUBLAS_OP_N, side, side, side, gram_.data(), side, square, gram_.data(),
                      side, square, square_.data(), square},
                     batch.count);
  nn::cuda::muon_polynomial(storage(),
                            {.side = side,
                             .count = batch.count,
                             .gram = gram_.data(),
                             .square = square_.data(),
                             .polynomial = polynomial_.data()},
                            stream_.get());
  if (is_wide) {
    products_.multiply({CUBLAS_OP_N, CUBLAS_OP_N, columns, rows, rows, from, columns, batch.distance,
                        polynomial_.data(), side, square, to, batch.distance},
                       batch.count);
  } else {
    products_.multiply({CUBLAS_OP_N, CUBLAS_OP_N, columns, rows, columns, polynomial_.data(), side, square,
                        from, columns, batch.distance, to, batch.distance},
                       batch.count);
  }
}

std::byte* NewtonSchulz::element(void* matrices, std::int64_t index) const {
  return static_cast<std::byte*>(matrices) + index * static_cast<std::int64_t>(bytes_of(storage()));
}

}  // namespace whorl::train
