// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/bodies/norm.hpp"

// With z = (x - mean) * factor + shift + residual, for each channel c, over positions p:
//   sums:    g[p, c] = dy[p, c] * curve'(z[p, c]);  s1[c] += g[p, c];  s2[c] += g[p, c] * (x[p, c] - mean[c])
//            bytes: dy, x, residual, g once; FLOPs: 8 a value, with GELU 29
//   finish:  slope = -factor * inverse^2 * s2 / positions;  offset = -factor * s1 / positions
//            bytes: blocks * 2 channels floats
//   apply:   dx[p, c] = factor[c] * g[p, c] + slope[c] * (x[p, c] - mean[c]) + offset[c]
//            bytes: dy, x, residual, dx once; FLOPs: 9 a value, with GELU 30
//            unpooled: at the winner of the window that became p, and 0 at its other cells
//            bytes: dx is window^2 times as large, argmax once
// (Ioffe & Szegedy, "Batch normalization", 2015, section 3.)
namespace whorl::nn::cuda {

/// The gradient through a curve at one position's 8 channels.
WHORL_DEVICE Pack through_curve(Curve curve, const AffineOfChannels& z, const Pack& dy, const Pack& x,
                                const Pack& residual) {
  Pack g;
  for (int k = 0; k < 8; ++k) g[k] = dy[k] * curve_slope(curve, z(x, k) + residual[k]);
  return g;
}

template <typename T>
struct NormBackwardSumsKernel {
  static constexpr int threads = ChannelWalk::threads;
  static constexpr int resident_blocks = 3;
  using Shared = ChannelSumsShared;
  int positions, channels;
  In<T> dy, x;
  AffineViews affine;
  In<T> residual;
  Curve curve;
  InOut<T> g;
  bool add_g;
  Out<float> partials;

  WHORL_DEVICE void operator()(Block& block, Shared& shared) {
    PerThread<ChannelSums> sums;
    block.phase([&](int thread) {
      const ChannelWalk walk(block, thread, channels, positions);
      const AffineOfChannels z(affine, walk.channel);
      ChannelSums& sum = sums[thread];
      sum.clear();
      for (int p = walk.first; p < positions; p += walk.step) {
        const std::int64_t i = std::int64_t{p} * channels + walk.channel;
        const Pack in = x.pack(i);
        Pack gradient = through_curve(curve, z, dy.pack(i), in, residual ? residual.pack(i) : Pack{});
        for (int k = 0; k < 8; ++k) {
          sum.first[k] += gradient[k];
          sum.second[k] += gradient[k] * (in[k] - z.mean[k]);
        }
        if (g) store(i, gradient);
      }
    });
    write_partials(block, shared, sums, channels, partials);
  }

  WHORL_DEVICE void store(std::int64_t i, Pack gradient) const {
    if (add_g) {
      const Pack before = g.pack(i);
      for (int k = 0; k < 8; ++k) gradient[k] += before[k];
    }
    g.set(i, gradient);
  }
};

struct NormBackwardFinishKernel {
  static constexpr int threads = RowSums::threads;
  using Shared = RowSums::Shared;
  In<float> partials;
  int blocks, channels;
  double positions;
  In<float> inverse, factor;
  Out<float> shift_gradient, scale_gradient, slope, offset;

  WHORL_DEVICE void operator()(Block& block, Shared& shared) {
    RowSums::add(block, shared, partials, blocks, channels);
    block.phase([&](int thread) {
      if (thread >= RowSums::lanes) return;
      const int c = block.index() * RowSums::lanes + thread;
      const double sum = shared.first[thread];
      if (shift_gradient) shift_gradient.set(c, static_cast<float>(sum));
      if (!inverse) return;
      const double sum_z =
          shared.second[thread] * static_cast<double>(inverse[c]);  // of g times the normalised x
      if (scale_gradient) scale_gradient.set(c, static_cast<float>(sum_z));
      if (!slope) return;
      const double weight = -static_cast<double>(factor[c]) / positions;
      slope.set(c, static_cast<float>(weight * sum_z * static_cast<double>(inverse[c])));
      offset.set(c, static_cast<float>(weight * sum));
    });
  }
};

/// dx, (samples, height, width), is cut into windows of window x window; the pooled maps have one position
/// for each but the last row and column of windows where those are cut off.
struct Unpool {
  In<std::uint8_t> argmax;  ///< null: no pooling, window 1
  int height, width, window;
  constexpr int rows() const { return (height + window - 1) / window; }
  constexpr int columns() const { return (width + window - 1) / window; }
};

template <typename T>
struct NormBackwardApplyKernel {
  static constexpr int threads = ChannelWalk::threads;
  static constexpr int resident_blocks = 2;
  using Shared = Nothing;
  int windows;  ///< samples * unpool.rows() * unpool.columns()
  int channels;
  In<T> dy, x;
  AffineViews affine;
  In<T> residual;
  Curve curve;
  In<float> slope, offset;
  Unpool unpool;
  InOut<T> dx;
  bool add_dx;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const ChannelWalk walk(block, thread, channels, windows);
      const AffineOfChannels z(affine, walk.channel);
      const Pack slopes = pack_or(slope, walk.channel, 0), offsets = pack_or(offset, walk.channel, 0);
      for (int p = walk.first; p < windows; p += walk.step) {
        const int window = windows - 1 - p;  // backwards: the sums have left the end in cache
        if (unpool.argmax) {
          scatter(window, walk.channel, z, slopes, offsets);
        } else {
          const std::int64_t i = std::int64_t{window} * channels + walk.channel;
          store(i, gradient_at(i, z, slopes, offsets));
        }
      }
    });
  }

  WHORL_DEVICE Pack gradient_at(std::int64_t i, const AffineOfChannels& z, const Pack& slopes,
                                const Pack& offsets) const {
    const Pack in = x.pack(i);
    const Pack g = through_curve(curve, z, dy.pack(i), in, residual ? residual.pack(i) : Pack{});
    Pack gradient;
    for (int k = 0; k < 8; ++k)
      gradient[k] = z.factor[k] * g[k] + (slopes[k] * (in[k] - z.mean[k]) + offsets[k]);
    return gradient;
  }

  /// All cells of a window; of one that was cut off and not pooled, zeros.
  WHORL_DEVICE void scatter(int window, int channel, const AffineOfChannels& z, const Pack& slopes,
                            const Pack& offsets) const {
    const int side = unpool.window;
    const int column = window % unpool.columns(), row = window / unpool.columns() % unpool.rows();
    const int sample = window / unpool.columns() / unpool.rows();
    const int pooled_height = unpool.height / side, pooled_width = unpool.width / side;
    Pack gradient{};
    BytePack winner{};
    if (row < pooled_height && column < pooled_width) {
      const std::int64_t i =
          ((std::int64_t{sample} * pooled_height + row) * pooled_width + column) * channels + channel;
      gradient = gradient_at(i, z, slopes, offsets);
      winner = unpool.argmax.bytes(i);
    }
    for (int cell = 0; cell < side * side; ++cell) {
      const int y = row * side + cell / side, x_in_row = column * side + cell % side;
      if (y >= unpool.height || x_in_row >= unpool.width) continue;
      Pack at_cell;
      for (int k = 0; k < 8; ++k) at_cell[k] = winner[k] == cell ? gradient[k] : 0.0F;
      store(((std::int64_t{sample} * unpool.height + y) * unpool.width + x_in_row) * channels + channel,
            at_cell);
    }
  }

  WHORL_DEVICE void store(std::int64_t i, Pack gradient) const {
    if (add_dx) {
      const Pack before = dx.pack(i);
      for (int k = 0; k < 8; ++k) gradient[k] += before[k];
    }
    dx.set(i, gradient);
  }
};

}  // namespace whorl::nn::cuda
