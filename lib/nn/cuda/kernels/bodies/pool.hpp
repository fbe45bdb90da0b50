// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/bodies/norm.hpp"
#include "nn/cuda/kernels/pool.hpp"

// for each position p of the output, over the cells of its window, row by row:
//   max:      y[p, c] = max x[cell, c], argmax[p, c] = the first such cell; with sums of y as in norm.hpp
//             bytes: x, y, argmax once; FLOPs: a comparison for each cell of a window
//   average:  y[p, c] = sum x[cell, c] / window^2               bytes: x, y once
// backward, for each cell, over the windows that it lies in:
//   dx[cell, c] = sum of dy[p, c] where the cell won (max), or of dy[p, c] / window^2 (average)
//             bytes: dy, argmax, dx once; where windows overlap, the other reads come from cache
namespace whorl::nn::cuda {

/// Where a position lies in maps.
struct Place {
  int sample, y, x;
  WHORL_DEVICE Place(int position, int height, int width)
      : sample(position / width / height), y(position / width % height), x(position % width) {}
};

/// Calls visit(element index of the cell's first channel, number of the cell) for the cells of a window, row
/// by row.
template <typename Visit>
WHORL_DEVICE void for_each_cell(const Pooling& pooling, const Place& window, int channel,
                                const Visit& visit) {
  const Extent& in = pooling.input;
  for (int wy = 0; wy < pooling.window; ++wy) {
    const int y = window.y * pooling.stride - pooling.padding + wy;
    if (y < 0 || y >= in.height) continue;
    for (int wx = 0; wx < pooling.window; ++wx) {
      const int x = window.x * pooling.stride - pooling.padding + wx;
      if (x < 0 || x >= in.width) continue;
      const std::int64_t position = (std::int64_t{window.sample} * in.height + y) * in.width + x;
      visit(position * in.channels + channel, wy * pooling.window + wx);
    }
  }
}

template <typename T>
struct MaxPoolKernel {
  static constexpr int threads = ChannelWalk::threads;
  static constexpr int resident_blocks = 3;
  using Shared = ChannelSumsShared;
  Pooling pooling;
  Extent output;
  In<T> x;
  Out<T> y;
  Out<std::uint8_t> argmax;
  Out<float> partials;  ///< null: no sums

  WHORL_DEVICE void operator()(Block& block, Shared& shared) {
    PerThread<ChannelSums> sums;
    block.phase([&](int thread) {
      const int positions = static_cast<int>(output.positions());
      const ChannelWalk walk(block, thread, output.channels, positions);
      const Pack origin = partials ? pooled(0, walk.channel).largest : Pack{};
      ChannelSums& sum = sums[thread];
      sum.clear();
      for (int p = walk.first; p < positions; p += walk.step) {
        const Winner winner = pooled(p, walk.channel);
        const std::int64_t i = std::int64_t{p} * output.channels + walk.channel;
        y.set(i, winner.largest);
        argmax.set(i, winner.cell);
        NormSumsKernel<T>::add_to_sums(winner.largest, origin, sum);
      }
      if (partials && block.index() == 0 && walk.row == 0) partials.set(walk.channel, origin);
    });
    if (partials) write_partials(block, shared, sums, output.channels, partials);
  }

  struct Winner {
    Pack largest;
    BytePack cell;
  };
  WHORL_DEVICE Winner pooled(int position, int channel) const {
    Winner winner{};
    bool is_first = true;
    for_each_cell(pooling, Place(position, output.height, output.width), channel,
                  [&](std::int64_t from, int cell) {
                    const Pack value = x.pack(from);
                    for (int k = 0; k < 8; ++k) {
                      if (!is_first && !(value[k] > winner.largest[k])) continue;
                      winner.largest[k] = value[k];
                      winner.cell[k] = static_cast<std::uint8_t>(cell);
                    }
                    is_first = false;
                  });
    return winner;
  }
};

template <typename T>
struct AveragePoolKernel {
  static constexpr int threads = ChannelWalk::threads;
  using Shared = Nothing;
  Pooling pooling;
  Extent output;
  In<T> x;
  Out<T> y;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const int positions = static_cast<int>(output.positions());
      const ChannelWalk walk(block, thread, output.channels, positions);
      const float weight = 1.0F / static_cast<float>(pooling.window * pooling.window);
      for (int p = walk.first; p < positions; p += walk.step) {
        Pack sum{};
        for_each_cell(pooling, Place(p, output.height, output.width), walk.channel,
                      [&](std::int64_t from, int) {
                        const Pack value = x.pack(from);
                        for (int k = 0; k < 8; ++k) sum[k] += value[k];
                      });
        for (int k = 0; k < 8; ++k) sum[k] *= weight;
        y.set(std::int64_t{p} * output.channels + walk.channel, sum);
      }
    });
  }
};

template <typename T>
struct PoolBackwardKernel {
  static constexpr int threads = ChannelWalk::threads;
  static constexpr int resident_blocks = 3;
  using Shared = Nothing;
  Pooling pooling;
  Extent output;
  In<T> dy;
  In<std::uint8_t> argmax;  ///< null: averages
  InOut<T> dx;
  bool add;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const Extent& in = pooling.input;
      const int positions = static_cast<int>(in.positions());
      const ChannelWalk walk(block, thread, in.channels, positions);
      for (int p = walk.first; p < positions; p += walk.step) {
        const std::int64_t i = std::int64_t{p} * in.channels + walk.channel;
        Pack sum = add ? dx.pack(i) : Pack{};
        add_windows_of(Place(p, in.height, in.width), walk.channel, sum);
        dx.set(i, sum);
      }
    });
  }

  WHORL_DEVICE void add_windows_of(const Place& cell, int channel, Pack& sum) const {
    const float weight = 1.0F / static_cast<float>(pooling.window * pooling.window);
    const int last_y = last_window(cell.y, output.height), last_x = last_window(cell.x, output.width);
    for (int y = first_window(cell.y); y <= last_y; ++y) {
      for (int x = first_window(cell.x); x <= last_x; ++x) {
        const std::int64_t p = (std::int64_t{cell.sample} * output.height + y) * output.width + x;
        const Pack gradient = dy.pack(p * output.channels + channel);
        if (argmax) {
          const BytePack winner = argmax.bytes(p * output.channels + channel);
          const int row = cell.y + pooling.padding - y * pooling.stride;
          const int place = row * pooling.window + cell.x + pooling.padding - x * pooling.stride;
          for (int k = 0; k < 8; ++k) sum[k] += winner[k] == place ? gradient[k] : 0.0F;
        } else {
          for (int k = 0; k < 8; ++k) sum[k] += gradient[k] * weight;
        }
      }
    }
  }

  /// Of the windows along one axis that hold cell `at`.
  WHORL_DEVICE int first_window(int at) const {
    const int beyond = at + pooling.padding - pooling.window;  // the last cell that is too far left
    return beyond < 0 ? 0 : beyond / pooling.stride + 1;
  }
  WHORL_DEVICE int last_window(int at, int outputs) const {
    const int last = (at + pooling.padding) / pooling.stride;
    return last < outputs ? last : outputs - 1;
  }
};

}  // namespace whorl::nn::cuda
