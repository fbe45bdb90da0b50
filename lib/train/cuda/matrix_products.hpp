// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cublas_v2.h>

#include <cstdint>

#include "base/unique_handle.hpp"
#include "gpu/memory.hpp"
#include "gpu/stream.hpp"
#include "nn/cuda/kernels/types.hpp"
#include "nn/precision.hpp"

namespace whorl::train {

/// left (m, k) times right (k, n), each op() of a matrix stored by columns, as cuBLAS has them; several that
/// lie equally far apart, in elements.
struct MatrixProduct {
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

/// Products by cuBLAS in one precision, with sums in float32. It works in one stream and has a workspace of
/// its own, so that equal products have equal bits.
class MatrixProducts {
 public:
  MatrixProducts(nn::Precision precision, const gpu::Stream& stream);
  /// Of the matrices' elements.
  nn::cuda::Storage storage() const { return storage_; }
  /// Queues `count` products.
  void multiply(const MatrixProduct& product, int count);

 private:
  struct HandleTraits {
    static cublasHandle_t invalid() { return nullptr; }
    static void release(cublasHandle_t handle) noexcept;
  };
  UniqueHandle<cublasHandle_t, HandleTraits> cublas_;
  nn::cuda::Storage storage_;
  cudaDataType_t type_;
  cublasComputeType_t compute_;
  gpu::DeviceMemory workspace_;
};

}  // namespace whorl::train
