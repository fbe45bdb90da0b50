// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/bodies/random.hpp"

// for each sample i of the rank's epoch:
//   position = i / samples * batch + first + i % samples
//   picture = order(position): a Feistel network of 6 rounds, walked until it falls below `pictures`
//   coin, dy, dx = random numbers of (epoch, picture), flip by the coin
//   views[i] = (picture or its place in a ring, dy, dx, mirrored)
// One thread draws a view. Bytes: 12 written for each; integer operations: about 150, since a walk takes four
// turns at most on average.
namespace whorl::nn::cuda {

struct DrawViewsKernel {
  static constexpr int threads = 256;
  using Shared = Nothing;
  EpochDraws draws;
  RankBatches batches;
  Out<PictureView> views;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const std::int64_t i = global_thread<DrawViewsKernel>(block, thread);
      if (i >= batches.batches * batches.samples) return;
      const std::int64_t position = i / batches.samples * batches.batch + batches.first + i % batches.samples;
      const std::int64_t picture = picture_at(position);
      PictureView view = view_of(static_cast<std::uint64_t>(picture));
      view.picture = static_cast<std::int32_t>(batches.held > 0 ? i % batches.held : picture);
      views.put(i, view);
    });
  }

  WHORL_DEVICE std::int64_t picture_at(std::int64_t position) const {
    const std::uint32_t half_mask = (std::uint32_t{1} << draws.half_bits) - 1;
    auto value = static_cast<std::uint64_t>(position);
    do {
      auto left = static_cast<std::uint32_t>(value >> draws.half_bits);
      std::uint32_t right = static_cast<std::uint32_t>(value) & half_mask;
      for (const std::uint32_t key : draws.order_keys) {
        const std::uint32_t next = left ^ (mix(right ^ key) & half_mask);
        left = right;
        right = next;
      }
      value = (std::uint64_t{left} << draws.half_bits) | right;
    } while (value >= static_cast<std::uint64_t>(draws.pictures));
    return static_cast<std::int64_t>(value);
  }

  /// The finaliser of MurmurHash3.
  static WHORL_DEVICE std::uint32_t mix(std::uint32_t value) {
    value = (value ^ (value >> 16)) * 0x85EBCA6BU;
    value = (value ^ (value >> 13)) * 0xC2B2AE35U;
    return value ^ (value >> 16);
  }

  WHORL_DEVICE PictureView view_of(std::uint64_t picture) const {
    SampleRandom random(draws.augmentation, picture);
    const bool coin = random.coin();
    const auto shifts = static_cast<std::uint32_t>(2 * draws.crop_padding + 1);
    const int dy = static_cast<int>(random.below(shifts)) - draws.crop_padding;
    int dx = static_cast<int>(random.below(shifts)) - draws.crop_padding;
    bool mirrored = draws.flip == Flip::random && coin;
    if (draws.flip == Flip::alternating) {
      const bool flipped_first = SampleRandom(draws.first_epoch, picture).coin();
      if (flipped_first) dx = -dx;  // flipping before a shift is the opposite shift, then a flip
      mirrored = flipped_first != draws.is_odd;
    }
    return {0, static_cast<std::int16_t>(dy), static_cast<std::int16_t>(dx), mirrored ? 1 : 0};
  }
};

}  // namespace whorl::nn::cuda
