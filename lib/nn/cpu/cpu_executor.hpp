// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "nn/executor.hpp"

namespace whorl::nn {

/// The "cpu" backend: oneDNN convolutions and fused passes over its blocked layout. Algorithms are measured
/// here unless `options.plan` names them, so ranks that must agree to the bit share one plan.
std::unique_ptr<Executor> make_cpu_executor(const Network& network, const CompileOptions& options);

}  // namespace whorl::nn
