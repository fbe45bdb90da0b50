// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cuda_runtime_api.h>

namespace whorl::gpu {

/// Throws whorl::Error with CUDA's own words unless `code` is cudaSuccess. `call` is the name of the
/// function, such as "cudaMemcpyAsync". CUDA reports failures of earlier launches here, too.
void check(cudaError_t code, const char* call);

}  // namespace whorl::gpu
