// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "nn/cuda/kernels/draws.hpp"
#include "train/augment.hpp"

namespace whorl::train {

/// What a GPU needs to draw an epoch's order and views as dataset::EpochOrder and Augmenter do. `epoch` from
/// 0, `pictures` of the training split.
nn::cuda::EpochDraws epoch_draws(const AugmentOptions& augment, std::uint64_t seed, std::uint32_t epoch,
                                 std::int64_t pictures);

/// Whether views are nothing but shifts and mirror images: what epoch_draws() knows. `input_size`: of the
/// dataset's pictures, `output_size`: of the network's.
bool are_drawn_on_gpu(const AugmentOptions& augment, int input_size, int output_size);

}  // namespace whorl::train
