// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace whorl::nn::cuda::emulator {

/// What cudaMemGetInfo says is left.
extern std::size_t memory_left;
/// Of CUDA graphs, so far.
extern int graph_launches;

}  // namespace whorl::nn::cuda::emulator
