// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/// A kernel is a struct: its members are its arguments, `threads` the size of its blocks, `Shared` what the
/// threads of a block share, and operator()(Block&, Shared&) the work of one block:
///
///   block.phase([&](int thread) { ... });   // every thread of the block, then a barrier
///   block.phase([&](int thread) { ... });   // sees what the phase before has written
///
/// What a thread keeps from phase to phase is a PerThread. Memory is reached only through views: In<T>,
/// Out<T>, InOut<T>. nvcc compiles kernels and their launches for a GPU, any other compiler the same lines
/// for the emulator that unit tests run them in.
#ifdef __CUDACC__
#include "nn/cuda/kernels/gpu/target.hpp"
#else
#include "nn/cuda/kernels/emulator/target.hpp"
#endif

namespace whorl::nn::cuda {

/// For kernels that share nothing.
struct Nothing {};

/// The thread's number in the whole grid.
template <typename Kernel>
WHORL_DEVICE std::int64_t global_thread(const Block& block, int thread) {
  return std::int64_t{block.index()} * Kernel::threads + thread;
}

}  // namespace whorl::nn::cuda
