// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace whorl::nn::cuda {

/// Throws Error unless `error`, a cudaError_t, is success. Compiled without nvcc, so that kernels need not
/// include what builds messages.
void check_launch(const char* kernel, int error);

}  // namespace whorl::nn::cuda
