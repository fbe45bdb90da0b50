// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <dnnl.hpp>

#include "nn/cpu/convolution.hpp"
#include "nn/cpu/groups.hpp"
#include "nn/cpu/plane.hpp"

namespace whorl::nn::cpu {

/// Winograd's where there are at least 16 channels on both sides (below that, a block's padding costs more
/// than it saves) and where it at least halves the multiplications for the `used` part of the output; with
/// the tiles that need fewest of them, so far as rounding allows: that of a forward pass is limited where
/// more than a few convolutions or linear layers are `layers_behind`. The same on every machine and run.
Algorithm algorithm_by_rule(const ConvolutionShape& shape, const PlaneExtent& used, int layers_behind);

/// The fastest, with the same limits: direct, or Winograd's with the fastest tiles of each pass, timed on
/// zeros; for shapes that Winograd takes.
Algorithm algorithm_by_measurement(const dnnl::engine& engine, const ConvolutionShape& shape,
                                   const dnnl::memory::desc& source, const NeededDirections& needed,
                                   const PlaneExtent& used, int layers_behind);

}  // namespace whorl::nn::cpu
