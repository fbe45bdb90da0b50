// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "nn/executor.hpp"

namespace whorl::nn {

/// The "gpu" backend on the current GPU of this thread: a GpuNetwork that takes pictures from the host and
/// hands gradients to it.
std::unique_ptr<Executor> make_gpu_executor(const Network& network, const CompileOptions& options);

}  // namespace whorl::nn
