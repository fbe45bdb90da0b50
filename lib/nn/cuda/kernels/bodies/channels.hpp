// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/bodies/target.hpp"

namespace whorl::nn::cuda {

/// A thread's share of maps: 8 channels, always the same, so that what belongs to a channel stays in
/// registers, at every `step`-th position. Neighbouring threads take neighbouring channels, then neighbouring
/// positions: a warp reads whole lines.
struct ChannelWalk {
  static constexpr int threads = 256;  ///< so 2048 channels at most
  int channel;                         ///< the first of the 8
  int row;                             ///< which of the block's positions
  int first, step;                     ///< positions; a thread that is left over starts behind the last one

  WHORL_DEVICE ChannelWalk(const Block& block, int thread, int channels, int positions) {
    const int groups = channels / 8;
    const int rows = threads / groups;
    row = thread / groups;
    channel = thread % groups * 8;
    step = block.count() * rows;
    first = row < rows ? block.index() * rows + row : positions;
  }
  WHORL_DEVICE bool is_idle(int channels) const { return row >= threads / (channels / 8); }
};

/// Coefficients of a thread's channels; `otherwise` where there are none.
WHORL_DEVICE Pack pack_or(const In<float>& values, int channel, float otherwise) {
  if (values) return values.pack(channel);
  Pack pack;
  for (int k = 0; k < 8; ++k) pack[k] = otherwise;
  return pack;
}

/// Of the channels of a thread.
struct ChannelSums {
  Pack first, second;
  WHORL_DEVICE void clear() {
    for (int k = 0; k < 8; ++k) first[k] = second[k] = 0;
  }
};

/// The threads' sums of a block, one row for each position that is walked at a time.
struct ChannelSumsShared {
  Array<float, 16 * ChannelWalk::threads> sums;
};

/// registers -> shared memory -> the block's row of Partials (row 0 holds the origins), without atomics and
/// in a fixed order.
WHORL_DEVICE void write_partials(Block& block, ChannelSumsShared& shared, PerThread<ChannelSums>& sums,
                                 int channels, const Out<float>& partials) {
  const int columns = 2 * channels;
  block.phase([&](int thread) {
    const ChannelWalk walk(block, thread, channels, 0);
    if (walk.is_idle(channels)) return;
    for (int k = 0; k < 8; ++k) {
      shared.sums[walk.row * columns + walk.channel + k] = sums[thread].first[k];
      shared.sums[walk.row * columns + channels + walk.channel + k] = sums[thread].second[k];
    }
  });
  block.phase([&](int thread) {
    const int rows = ChannelWalk::threads / (channels / 8);
    for (int column = thread; column < columns; column += ChannelWalk::threads) {
      float total = 0;
      for (int row = 0; row < rows; ++row) total += shared.sums[row * columns + column];
      partials.set(std::int64_t{1 + block.index()} * columns + column, total);
    }
  });
}

/// Adds all values that lie a multiple of `lanes` apart, by a tree: the total of lane i ends at values[i].
/// `length` and `lanes` are powers of two, and a block has at least length / 2 threads.
template <typename T, int length>
WHORL_DEVICE void add_by_tree(Block& block, Array<T, length>& values, int lanes) {
  for (int half = length / 2; half >= lanes; half /= 2) {
    block.phase([&](int thread) {
      if (thread < half) values[thread] += values[thread + half];
    });
  }
}

}  // namespace whorl::nn::cuda
