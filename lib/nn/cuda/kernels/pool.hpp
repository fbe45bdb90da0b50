// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/norm.hpp"
#include "nn/cuda/kernels/types.hpp"

namespace whorl::nn::cuda {

/// Square windows over `input`; output cell (y, x) covers input cells from (y, x) * stride - padding on.
struct Pooling {
  Extent input;
  int window = 2, stride = 2, padding = 0;
  constexpr int outputs(int length) const { return (length + 2 * padding - window) / stride + 1; }
  constexpr Extent output() const {
    return {input.samples, outputs(input.height), outputs(input.width), input.channels};
  }
};

/// y and argmax, (output()) each: the largest value of a window and its place in it, row * window + column;
/// of equal ones the first. Windows of at most 16 x 16. `sums.rows` set: also the sums of norm_sums over y.
void max_pool_forward(Storage storage, const Pooling& pooling, const void* x, void* y, std::uint8_t* argmax,
                      const Partials& sums, Stream stream);
/// Any stride and padding: a cell that won several windows gets the sum. (For windows that do not overlap
/// norm_backward_apply does this on the way.) `add`: adds to what is in dx instead.
void max_pool_backward(Storage storage, const Pooling& pooling, const void* dy, const std::uint8_t* argmax,
                       void* dx, bool add, Stream stream);

/// Means over windows, without padding.
void average_pool_forward(Storage storage, const Pooling& pooling, const void* x, void* y, Stream stream);
void average_pool_backward(Storage storage, const Pooling& pooling, const void* dy, void* dx, bool add,
                           Stream stream);

}  // namespace whorl::nn::cuda
