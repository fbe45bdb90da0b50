// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace whorl::doctor {

/// Floats of the widest vector that this processor computes with.
int vector_lanes();
/// Runs about `count` independent fused multiply-adds of whole vectors; returns a value that depends on them
/// all.
float run_fma(std::int64_t count);

}  // namespace whorl::doctor
