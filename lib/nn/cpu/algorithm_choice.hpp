// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <dnnl.hpp>

#include "nn/cpu/convolution.hpp"
#include "nn/cpu/groups.hpp"
#include "nn/cpu/plane.hpp"

namespace whorl::nn::cpu {

/// The m of Winograd's F(m x m, 3 x 3).
constexpr int tile_of(Algorithm algorithm) {
  return algorithm == Algorithm::winograd3 ? 3 : 4;
}

/// Winograd's where there are at least 16 channels on both sides (below that, a block's padding costs more
/// than it saves) and where it at least halves the multiplications for the `used` part of the output, with
/// the tile that needs fewer; the same on every machine and run.
Algorithm algorithm_by_rule(const ConvolutionShape& shape, const PlaneExtent& used);

/// The fastest of a forward and the needed backward passes together, on zeros; for shapes that Winograd
/// takes.
Algorithm algorithm_by_measurement(const dnnl::engine& engine, const ConvolutionShape& shape,
                                   const dnnl::memory::desc& source, const NeededDirections& needed,
                                   const PlaneExtent& used);

}  // namespace whorl::nn::cpu
