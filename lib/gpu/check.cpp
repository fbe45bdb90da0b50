// SPDX-License-Identifier: BSD-3-Clause
#include "gpu/check.hpp"

#include "base/error.hpp"

namespace whorl::gpu {

void check(cudaError_t code, const char* call) {
  if (code == cudaSuccess) return;
  throw Error("{} failed: {} ({})", call, cudaGetErrorString(code), cudaGetErrorName(code));
}

}  // namespace whorl::gpu
