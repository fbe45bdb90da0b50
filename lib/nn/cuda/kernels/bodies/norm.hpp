// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/bodies/channels.hpp"
#include "nn/cuda/kernels/bodies/curve.hpp"
#include "nn/cuda/kernels/types.hpp"

// for each channel c, over positions p:
//   sums:    s1[c] += x[p, c] - origin[c];  s2[c] += (x[p, c] - origin[c])^2
//            bytes: x once; FLOPs: 4 a value
//   finish:  mean, variance, inverse, factor of each channel
//            bytes: blocks * 2 channels floats
//   apply:   y[p, c] = curve((x[p, c] - mean[c]) * factor[c] + shift[c] + residual[p, c])
//            bytes: x, y, residual once; FLOPs: 4 a value, with GELU 22
namespace whorl::nn::cuda {

template <typename T>
struct NormSumsKernel {
  static constexpr int threads = ChannelWalk::threads;
  using Shared = ChannelSumsShared;
  In<T> x;
  int positions, channels;
  Out<float> partials;

  WHORL_DEVICE void operator()(Block& block, Shared& shared) {
    PerThread<ChannelSums> sums;
    block.phase([&](int thread) {
      const ChannelWalk walk(block, thread, channels, positions);
      const Pack origin = x.pack(walk.channel);
      ChannelSums& sum = sums[thread];
      sum.clear();
      for (int p = walk.first; p < positions; p += walk.step)
        add_to_sums(x.pack(std::int64_t{p} * channels + walk.channel), origin, sum);
      if (block.index() == 0 && walk.row == 0) partials.set(walk.channel, origin);
    });
    write_partials(block, shared, sums, channels, partials);
  }

  static WHORL_DEVICE void add_to_sums(const Pack& values, const Pack& origin, ChannelSums& sum) {
    for (int k = 0; k < 8; ++k) {
      const float distance = values[k] - origin[k];
      sum.first[k] += distance;
      sum.second[k] += distance * distance;
    }
  }
};

/// Both sums of 8 channels from all rows of Partials, in double: one block for 8 channels, 32 threads for
/// each.
struct RowSums {
  static constexpr int threads = 256, lanes = 8;
  struct Shared {
    Array<double, threads> first, second;
  };
  WHORL_DEVICE static void add(Block& block, Shared& shared, const In<float>& partials, int blocks,
                               int channels) {
    block.phase([&](int thread) {
      const int channel = block.index() * lanes + thread % lanes;
      double first = 0, second = 0;
      for (int row = 1 + thread / lanes; row <= blocks; row += threads / lanes) {
        const std::int64_t start = std::int64_t{row} * 2 * channels;
        first += static_cast<double>(partials[start + channel]);
        second += static_cast<double>(partials[start + channels + channel]);
      }
      shared.first[thread] = first;
      shared.second[thread] = second;
    });
    add_by_tree(block, shared.first, lanes);
    add_by_tree(block, shared.second, lanes);
  }
};

struct NormFinishKernel {
  static constexpr int threads = RowSums::threads;
  using Shared = RowSums::Shared;
  In<float> partials;
  int blocks, channels;
  double positions;
  float epsilon;
  In<float> scale;
  Out<float> mean, inverse, factor, running_mean, running_variance;

  WHORL_DEVICE void operator()(Block& block, Shared& shared) {
    RowSums::add(block, shared, partials, blocks, channels);
    block.phase([&](int thread) {
      if (thread >= RowSums::lanes) return;
      const int c = block.index() * RowSums::lanes + thread;
      const double distance = shared.first[thread] / positions;  // of the mean from the origin
      const double raw_variance = shared.second[thread] / positions - distance * distance;
      const double variance = raw_variance > 0 ? raw_variance : 0;  // rounding may take it below
      const float center = static_cast<float>(static_cast<double>(partials[c]) + distance);
      const float inverse_deviation = static_cast<float>(1 / sqrt(variance + static_cast<double>(epsilon)));
      mean.set(c, center);
      inverse.set(c, inverse_deviation);
      factor.set(c, (scale ? scale[c] : 1.0F) * inverse_deviation);
      if (!running_mean) return;
      const double unbiased = positions > 1 ? positions / (positions - 1) : 1;
      running_mean.set(c, center);
      running_variance.set(c, static_cast<float>(variance * unbiased));
    });
  }
};

struct NormRunningFactorKernel {
  static constexpr int threads = 256;
  using Shared = Nothing;
  int channels;
  float epsilon;
  In<float> variance, scale;
  Out<float> factor;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const auto c = global_thread<NormRunningFactorKernel>(block, thread);
      if (c < channels) factor.set(c, (scale ? scale[c] : 1.0F) / sqrtf(variance[c] + epsilon));
    });
  }
};

/// An Affine as kernels see it.
struct AffineViews {
  In<float> mean, factor, shift;
};

/// An Affine of a thread's channels, with the maps that go through it.
struct AffineOfChannels {
  Pack mean, factor, shift;
  WHORL_DEVICE AffineOfChannels(const AffineViews& views, int channel)
      : mean(pack_or(views.mean, channel, 0)),
        factor(pack_or(views.factor, channel, 1)),
        shift(pack_or(views.shift, channel, 0)) {}
  WHORL_DEVICE float operator()(const Pack& x, int k) const {
    return (x[k] - mean[k]) * factor[k] + shift[k];
  }
};

// The positions are walked backwards: the end of x, which the kernel before has written last, is still in
// cache.
template <typename T>
struct NormApplyKernel {
  static constexpr int threads = ChannelWalk::threads;
  using Shared = Nothing;
  In<T> x;
  int positions, channels;
  AffineViews affine;
  In<T> residual;
  Curve curve;
  Out<T> y;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const ChannelWalk walk(block, thread, channels, positions);
      const AffineOfChannels z(affine, walk.channel);
      for (int p = walk.first; p < positions; p += walk.step) {
        const std::int64_t i = std::int64_t{positions - 1 - p} * channels + walk.channel;
        const Pack in = x.pack(i);
        const Pack beside = residual ? residual.pack(i) : Pack{};
        Pack out;
        for (int k = 0; k < 8; ++k) out[k] = curve_value(curve, z(in, k) + beside[k]);
        y.set(i, out);
      }
    });
  }
};

}  // namespace whorl::nn::cuda
