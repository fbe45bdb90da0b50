// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "nn/executor.hpp"

namespace whorl::nn {

/// Plain loops in double precision: slow, and the definition of what the other backends compute. Uses one
/// thread whatever options.threads says.
std::unique_ptr<Executor> make_reference_executor(const Network& network, const CompileOptions& options);

}  // namespace whorl::nn
