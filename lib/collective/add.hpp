// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>

namespace whorl::collective {

/// into[i] += from[i]. The spans have one length and do not overlap.
void add(std::span<float> into, std::span<const float> from);

}  // namespace whorl::collective
