// SPDX-License-Identifier: BSD-3-Clause
// The part of cuBLAS that we use, as plain loops over matrices stored by columns.
#include <cublas_v2.h>

#include "base/error.hpp"
#include "nn/cuda/kernels/bodies/element.hpp"
#include "nn/cuda/kernels/emulator/queue.hpp"

using whorl::require;
namespace cuda = whorl::nn::cuda;

namespace {

struct Cublas {
  cudaStream_t stream = nullptr;
};

struct Operand {
  cublasOperation_t operation;
  const void* data;
  int leading;
  long long distance;

  template <typename T>
  double at(int batch, int row, int column) const {
    const T* matrix = static_cast<const T*>(data) + batch * distance;
    const bool is_plain = operation == CUBLAS_OP_N;
    return double{cuda::to_float(is_plain ? matrix[row + std::int64_t{column} * leading]
                                          : matrix[column + std::int64_t{row} * leading])};
  }
};

struct Product {
  int m, n, k, count;
  Operand left, right;
  void* data;
  int leading;
  long long distance;

  template <typename T>
  void compute() const {
    for (int batch = 0; batch < count; ++batch)
      for (int row = 0; row < m; ++row)
        for (int column = 0; column < n; ++column) {
          double sum = 0;
          for (int i = 0; i < k; ++i) sum += left.at<T>(batch, row, i) * right.at<T>(batch, i, column);
          T* to = static_cast<T*>(data) + batch * distance + row + std::int64_t{column} * leading;
          cuda::from_float(static_cast<float>(sum), *to);
        }
  }
};

}  // namespace

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  *handle = reinterpret_cast<cublasHandle_t>(new Cublas);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  delete reinterpret_cast<Cublas*>(handle);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  reinterpret_cast<Cublas*>(handle)->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t, void*, std::size_t) {
  return CUBLAS_STATUS_SUCCESS;
}
const char* cublasGetStatusString(cublasStatus_t) {
  return "success";
}
cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t left_operation,
                                          cublasOperation_t right_operation, int m, int n, int k,
                                          const void* alpha, const void* left, cudaDataType type,
                                          int left_leading, long long left_distance, const void* right,
                                          cudaDataType, int right_leading, long long right_distance,
                                          const void* beta, void* product, cudaDataType, int leading,
                                          long long distance, int count, cublasComputeType_t,
                                          cublasGemmAlgo_t) {
  require(*static_cast<const float*>(alpha) == 1 && *static_cast<const float*>(beta) == 0,
          "only plain products are emulated");
  const Product task{.m = m,
                     .n = n,
                     .k = k,
                     .count = count,
                     .left = {left_operation, left, left_leading, left_distance},
                     .right = {right_operation, right, right_leading, right_distance},
                     .data = product,
                     .leading = leading,
                     .distance = distance};
  cuda::emulator::queue(reinterpret_cast<Cublas*>(handle)->stream, [task, type] {
    if (type == CUDA_R_16F) return task.compute<cuda::Half>();
    if (type == CUDA_R_16BF) return task.compute<cuda::BFloat16>();
    task.compute<float>();
  });
  return CUBLAS_STATUS_SUCCESS;
}
