// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/bodies/norm.hpp"
#include "nn/cuda/kernels/bodies/pictures.hpp"
#include "nn/cuda/kernels/bodies/weights.hpp"
#include "nn/cuda/kernels/launch.hpp"

/// What launch functions are given, as kernels see it.
namespace whorl::nn::cuda {

inline BatchViews views(const Batch& batch) {
  return {{batch.views}, {batch.batch_number}, batch.samples};
}
inline AffineViews views(const Affine& affine) {
  return {{affine.mean}, {affine.factor}, {affine.shift}};
}
inline RuleViews views(const RuleTable& table) {
  return {{table.rules}, table.count, {table.step}};
}

/// Blocks for a ChannelWalk over `positions`, none of them idle: eight for each multiprocessor of an H100, so
/// that the coefficients that a thread loads first serve many positions.
inline int walk_blocks(std::int64_t positions, int channels) {
  constexpr std::int64_t most = 1056;
  const int rows = ChannelWalk::threads / (channels / 8);
  const std::int64_t blocks = (positions + rows - 1) / rows;
  return static_cast<int>(blocks < most ? blocks : most);
}

}  // namespace whorl::nn::cuda
