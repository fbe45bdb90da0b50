// SPDX-License-Identifier: BSD-3-Clause
#include "train/cuda/matrix_products.hpp"

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

MatrixProducts::MatrixProducts(Precision precision, const gpu::Stream& stream)
    : cublas_(new_handle()),
      storage_(storage_of(precision)),
      type_(type_of(storage_)),
      compute_(precision == Precision::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F),
      workspace_(workspace_bytes, "cuBLAS's workspace") {
  check(cublasSetStream(cublas_.get(), stream.get()), "cublasSetStream");
  check(cublasSetWorkspace(cublas_.get(), workspace_.data(), workspace_.bytes()), "cublasSetWorkspace");
}

void MatrixProducts::multiply(const MatrixProduct& product, int count) {
  const float one = 1, zero = 0;
  check(cublasGemmStridedBatchedEx(cublas_.get(), product.left_operation, product.right_operation, product.m,
                                   product.n, product.k, &one, product.left, type_, product.left_leading,
                                   product.left_distance, product.right, type_, product.right_leading,
                                   product.right_distance, &zero, product.product, type_, product.m,
                                   product.product_distance, count, compute_, CUBLAS_GEMM_DEFAULT),
        "cublasGemmStridedBatchedEx");
}

void MatrixProducts::HandleTraits::release(cublasHandle_t handle) noexcept {
  cublasDestroy(handle);
}

}  // namespace whorl::train
