// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/bodies/pool.hpp"

#include "nn/cuda/kernels/views.hpp"

namespace whorl::nn::cuda {

void max_pool_forward(Storage storage, const Pooling& pooling, const void* x, void* y, std::uint8_t* argmax,
                      const Partials& sums, Stream stream) {
  const Extent output = pooling.output();
  check_maps("max_pool_forward", output);
  check_window("max_pool_forward", pooling.window);
  const int blocks = sums.rows == nullptr ? walk_blocks(output.positions(), output.channels) : sums.blocks;
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    launch("max_pool_forward", MaxPoolKernel<T>{pooling, output, in<T>(x), out<T>(y), {argmax}, {sums.rows}},
           blocks, stream);
  });
}

void average_pool_forward(Storage storage, const Pooling& pooling, const void* x, void* y, Stream stream) {
  const Extent output = pooling.output();
  check_maps("average_pool_forward", output);
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    launch("average_pool_forward", AveragePoolKernel<T>{pooling, output, in<T>(x), out<T>(y)},
           walk_blocks(output.positions(), output.channels), stream);
  });
}

namespace {

void pool_backward(const char* name, Storage storage, const Pooling& pooling, const void* dy,
                   const std::uint8_t* argmax, void* dx, bool add, Stream stream) {
  const Extent& input = pooling.input;
  check_maps(name, input);
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    launch(name, PoolBackwardKernel<T>{pooling, pooling.output(), in<T>(dy), {argmax}, in_out<T>(dx), add},
           walk_blocks(input.positions(), input.channels), stream);
  });
}

}  // namespace

void max_pool_backward(Storage storage, const Pooling& pooling, const void* dy, const std::uint8_t* argmax,
                       void* dx, bool add, Stream stream) {
  pool_backward("max_pool_backward", storage, pooling, dy, argmax, dx, add, stream);
}

void average_pool_backward(Storage storage, const Pooling& pooling, const void* dy, void* dx, bool add,
                           Stream stream) {
  pool_backward("average_pool_backward", storage, pooling, dy, nullptr, dx, add, stream);
}

}  // namespace whorl::nn::cuda
