// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

#include "nn/precision.hpp"

namespace whorl::train {

/// FLOP/s of the current GPU in products of square matrices in `precision`, `bytes` each at most: the median
/// of a few. 0 where that much memory is not left. All elements are alike, and a GPU spends less power on
/// those than on others: a ceiling.
double measure_products(nn::Precision precision, std::size_t bytes);

}  // namespace whorl::train
