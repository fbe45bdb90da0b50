// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

#include "nn/precision.hpp"

namespace whorl::train {

/// What a GPU can do at most, as measured; 0: unknown.
struct GpuCeilings {
  double flops = 0;  ///< per second, in products of large square matrices
  double bytes = 0;  ///< per second, read and written by copies within its memory
};

/// Measures the current GPU with matrices in `precision`, `bytes` each at most: the medians of a few products
/// and copies. Unknown where that much memory is not left. All elements are alike, and a GPU spends less
/// power on those than on others: true ceilings.
GpuCeilings measure_ceilings(nn::Precision precision, std::size_t bytes);

}  // namespace whorl::train
