// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "nn/executor.hpp"

namespace whorl::nn {

namespace cuda {
class GpuNetwork;
}

/// The "gpu" backend on the current GPU of this thread: a GpuNetwork that takes pictures from the host and
/// hands gradients to it.
std::unique_ptr<Executor> make_gpu_executor(const Network& network, const CompileOptions& options);
/// For a network that others train on the GPU: infer() computes with the parameters they left there.
std::unique_ptr<Executor> make_gpu_executor(std::shared_ptr<cuda::GpuNetwork> network);

}  // namespace whorl::nn
