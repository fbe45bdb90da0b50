// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/gpu/launch_error.hpp"

#include <cuda_runtime_api.h>

#include "base/error.hpp"

namespace whorl::nn::cuda {

void check_launch(const char* kernel, int error) {
  const auto code = static_cast<cudaError_t>(error);
  require(code == cudaSuccess, "CUDA kernel {} cannot be launched: {} ({})", kernel, cudaGetErrorString(code),
          cudaGetErrorName(code));
}

}  // namespace whorl::nn::cuda
