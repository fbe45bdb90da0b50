// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "nn/executor.hpp"

namespace whorl::nn {

/// The "gpu" backend on the current GPU of this thread: convolutions by cuDNN, everything else by kernels of
/// our own, all activations in memory that is planned and taken at once.
std::unique_ptr<Executor> make_gpu_executor(const Network& network, const CompileOptions& options);

}  // namespace whorl::nn
