// SPDX-License-Identifier: BSD-3-Clause
#include "train/cuda/newton_schulz.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace whorl::train {

namespace {

using nn::Precision;
using nn::cuda::Storage;

/// What NVIDIA recommends for Hopper.
constexpr std::size_t workspace_bytes = std::size_t{32} << 20;

void check(cublasStatus_t status, const char* call) {
  require(status == CUBLAS_STATUS_SUCCESS, "{} failed: {}", call, cublasGetStatusString(status));
}

Storage storage_of(Precision precision) {
  if (precision == Precision::float16) return Storage::float16;
  return precision == Precision::bfloat16 ? Storage::bfloat16 : Storage::float32;
}

cudaDataType_t type_of(Storage storage) {
  if (storage == Storage::float16) return CUDA_R_16F;
  return storage == Storage::bfloat16 ? CUDA_R_16BF : CUDA_R_32F;
}

cublasHandle_t new_handle() {
  cublasHandle_t handle = nullptr;
  check(cublasCreate(&handle), "cublasCreate");
  return handle;
}

}  // namespace

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

/// left (m, k) times right (k, n), each op() of a matrix stored by columns, as cuBLAS has them.
struct NewtonSchulz::Product {
  cublasOperation_t left_operation, right_operation;
  int m, n, k;
  const void* left;
  int left_leading;
  std::int64_t left_distance;
  const void* right;
  int right_leading;
  std::int64_t right_distance;
  void* product;
  std::int64_t product_distance;
};

NewtonSchulz::NewtonSchulz(const std::vector<nn::cuda::MuonMatrix>& matrices, std::size_t arena_floats,
                           Precision precision, int iterations, const gpu::Stream& stream)
    : cublas_(new_handle()),
      stream_(stream),
      batches_(batches_of(matrices)),
      storage_(storage_of(precision)),
      type_(type_of(storage_)),
      compute_(precision == Precision::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F),
      iterations_(iterations),
      workspace_(workspace_bytes, "cuBLAS's workspace"),
      x_(arena_floats * bytes_of(storage_), "Muon's matrices"),
      next_x_(x_.bytes(), "Muon's matrices") {
  check(cublasSetStream(cublas_.get(), stream_.get()), "cublasSetStream");
  check(cublasSetWorkspace(cublas_.get(), workspace_.data(), workspace_.bytes()), "cublasSetWorkspace");
  std::size_t largest = 0;
  for (const MatrixBatch& batch : batches_)
    largest = std::max(largest, std::size_t(batch.count) * batch.side() * batch.side());
  for (gpu::DeviceMemory* square : {&gram_, &square_, &polynomial_})
    *square = gpu::DeviceMemory(largest * bytes_of(storage_), "Muon's products");
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
  multiply({is_wide ? CUBLAS_OP_T : CUBLAS_OP_N, is_wide ? CUBLAS_OP_N : CUBLAS_OP_T, side, side,
            is_wide ? columns : rows, from, columns, batch.distance, from, columns, batch.distance,
            gram_.data(), square},
           batch.count);
  multiply({CUBLAS_OP_N, CUBLAS_OP_N, side, side, side, gram_.data(), side, square, gram_.data(), side,
            square, square_.data(), square},
           batch.count);
  nn::cuda::muon_polynomial(storage_,
                            {.side = side,
                             .count = batch.count,
                             .gram = gram_.data(),
                             .square = square_.data(),
                             .polynomial = polynomial_.data()},
                            stream_.get());
  if (is_wide) {
    multiply({CUBLAS_OP_N, CUBLAS_OP_N, columns, rows, rows, from, columns, batch.distance,
              polynomial_.data(), side, square, to, batch.distance},
             batch.count);
  } else {
    multiply({CUBLAS_OP_N, CUBLAS_OP_N, columns, rows, columns, polynomial_.data(), side, square, from,
              columns, batch.distance, to, batch.distance},
             batch.count);
  }
}

void NewtonSchulz::multiply(const Product& product, int count) {
  const float one = 1, zero = 0;
  check(cublasGemmStridedBatchedEx(cublas_.get(), product.left_operation, product.right_operation, product.m,
                                   product.n, product.k, &one, product.left, type_, product.left_leading,
                                   product.left_distance, product.right, type_, product.right_leading,
                                   product.right_distance, &zero, product.product, type_, product.m,
                                   product.product_distance, count, compute_, CUBLAS_GEMM_DEFAULT),
        "cublasGemmStridedBatchedEx");
}

std::byte* NewtonSchulz::element(void* matrices, std::int64_t index) const {
  return static_cast<std::byte*>(matrices) + index * static_cast<std::int64_t>(bytes_of(storage_));
}

void NewtonSchulz::HandleTraits::release(cublasHandle_t handle) noexcept {
  cublasDestroy(handle);
}

}  // namespace whorl::train
