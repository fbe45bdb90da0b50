// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "nn/cuda/kernels/types.hpp"

/// What launches demand of their arguments; all throw Error with the kernel's name. Compiled without nvcc, so
/// that kernels need not include what builds messages.
namespace whorl::nn::cuda {

void check_grid(const char* kernel, std::int64_t blocks);
/// Channels a multiple of 8 and at most 2048, positions below 2^30.
void check_maps(const char* kernel, const Extent& extent);
/// Places in a window must fit into a byte.
void check_window(const char* kernel, int window);

}  // namespace whorl::nn::cuda
