// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/bodies/norm_backward.hpp"

#include "nn/cuda/kernels/norm.hpp"
#include "nn/cuda/kernels/views.hpp"

namespace whorl::nn::cuda {

void norm_backward_sums(Storage storage, const NormBackwardSums& task, Stream stream) {
  check_maps("norm_backward_sums", task.extent);
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    const NormBackwardSumsKernel<T> kernel{.positions = static_cast<int>(task.extent.positions()),
                                           .channels = task.extent.channels,
                                           .dy = in<T>(task.dy),
                                           .x = in<T>(task.x),
                                           .affine = views(task.affine),
                                           .residual = in<T>(task.residual),
                                           .curve = task.curve,
                                           .g = in_out<T>(task.g),
                                           .add_g = task.add_g,
                                           .partials = {task.sums.rows}};
    launch("norm_backward_sums", kernel, task.sums.blocks, stream);
  });
}

void norm_backward_finish(const NormBackwardFinish& finish, Stream stream) {
  const NormBackwardFinishKernel kernel{.partials = {finish.sums.rows},
                                        .blocks = finish.sums.blocks,
                                        .channels = finish.channels,
                                        .positions = static_cast<double>(finish.positions),
                                        .inverse = {finish.inverse},
                                        .factor = {finish.factor},
                                        .shift_gradient = {finish.shift_gradient},
                                        .scale_gradient = {finish.scale_gradient},
                                        .slope = {finish.slope},
                                        .offset = {finish.offset}};
  launch("norm_backward_finish", kernel, finish.channels / RowSums::lanes, stream);
}

void norm_backward_apply(Storage storage, const NormBackwardApply& task, Stream stream) {
  check_maps("norm_backward_apply", task.extent);
  const Unpool unpool{{task.unpool.argmax}, task.unpool.height, task.unpool.width, task.unpool.window};
  const std::int64_t windows = task.unpool.argmax == nullptr
                                   ? task.extent.positions()
                                   : std::int64_t{task.extent.samples} * unpool.rows() * unpool.columns();
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    const NormBackwardApplyKernel<T> kernel{.windows = static_cast<int>(windows),
                                            .channels = task.extent.channels,
                                            .dy = in<T>(task.dy),
                                            .x = in<T>(task.x),
                                            .affine = views(task.affine),
                                            .residual = in<T>(task.residual),
                                            .curve = task.curve,
                                            .slope = {task.slope},
                                            .offset = {task.offset},
                                            .unpool = unpool,
                                            .dx = in_out<T>(task.dx),
                                            .add_dx = task.add_dx};
    launch("norm_backward_apply", kernel, walk_blocks(windows, task.extent.channels), stream);
  });
}

}  // namespace whorl::nn::cuda
