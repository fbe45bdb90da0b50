// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/norm.hpp"

#include "nn/cuda/kernels/bodies/norm.hpp"
#include "nn/cuda/kernels/views.hpp"

namespace whorl::nn::cuda {

int sum_blocks(const Extent& extent) {
  check_maps("sums over positions", extent);
  const int blocks = walk_blocks(extent.positions(), extent.channels);
  return blocks < most_sum_blocks ? blocks : most_sum_blocks;
}

void norm_sums(Storage storage, const Extent& extent, const void* x, const Partials& partials,
               Stream stream) {
  check_maps("norm_sums", extent);
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    launch(
        "norm_sums",
        NormSumsKernel<T>{in<T>(x), static_cast<int>(extent.positions()), extent.channels, {partials.rows}},
        partials.blocks, stream);
  });
}

void norm_finish(const NormFinish& finish, Stream stream) {
  const NormFinishKernel kernel{.partials = {finish.sums.rows},
                                .blocks = finish.sums.blocks,
                                .channels = finish.channels,
                                .positions = static_cast<double>(finish.positions),
                                .epsilon = finish.epsilon,
                                .scale = {finish.scale},
                                .mean = {finish.mean},
                                .inverse = {finish.inverse},
                                .factor = {finish.factor},
                                .running_mean = {finish.running_mean},
                                .running_variance = {finish.running_variance}};
  launch("norm_finish", kernel, finish.channels / RowSums::lanes, stream);
}

void norm_running_factor(int channels, const float* variance, float epsilon, const float* scale,
                         float* factor, Stream stream) {
  launch_for_each("norm_running_factor",
                  NormRunningFactorKernel{channels, epsilon, {variance}, {scale}, {factor}}, channels,
                  stream);
}

void norm_apply(Storage storage, const NormApply& task, Stream stream) {
  check_maps("norm_apply", task.extent);
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    const NormApplyKernel<T> kernel{.x = in<T>(task.x),
                                    .positions = static_cast<int>(task.extent.positions()),
                                    .channels = task.extent.channels,
                                    .affine = views(task.affine),
                                    .residual = in<T>(task.residual),
                                    .curve = task.curve,
                                    .y = out<T>(task.y)};
    launch("norm_apply", kernel, walk_blocks(task.extent.positions(), task.extent.channels), stream);
  });
}

}  // namespace whorl::nn::cuda
