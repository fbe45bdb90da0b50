// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "nn/executor.hpp"

namespace whorl::nn {

/// The "cpu" backend: our Winograd convolutions with the passes between them, and oneDNN's direct ones where
/// they do not apply, in one blocked layout. Ranks that must agree to the bit share one plan.
std::unique_ptr<Executor> make_cpu_executor(const Network& network, const CompileOptions& options);

}  // namespace whorl::nn
