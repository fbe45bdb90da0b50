// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/pictures.hpp"

/// Which picture stands where in an epoch, and how it is moved and mirrored, drawn on the GPU: the same as
/// dataset::EpochOrder and train::Augmenter draw, bit for bit.
namespace whorl::nn::cuda {

enum class Flip { none, random, alternating };

/// Key of a KeyedRandom stream of one purpose and epoch.
struct StreamKey {
  std::uint32_t low = 0, high = 0;
};

/// All that an epoch's views depend on.
struct EpochDraws {
  std::int64_t pictures = 0;  ///< that are put in order
  std::uint32_t order_keys[6] = {};
  int half_bits = 0;       ///< of dataset::EpochOrder
  StreamKey augmentation;  ///< of this epoch
  StreamKey first_epoch;   ///< of epoch 0, where alternating flips begin
  bool is_odd = false;     ///< the epoch's number, from 0
  Flip flip = Flip::none;
  int crop_padding = 0;  ///< pixels, below the pictures' size
};

/// The samples that one rank takes of each batch of an epoch: `samples`, from `first` of the batch on.
struct RankBatches {
  std::int64_t batches = 0;
  std::int64_t batch = 0;  ///< samples of a batch, over all ranks
  int samples = 0, first = 0;
  /// So many pictures are in GPU memory, filled round and round: sample i of the rank's epoch lies at
  /// i % held. 0: the whole dataset, in its own order.
  std::int64_t held = 0;
};

/// views[i], (batches * samples): sample i of the rank's epoch.
void draw_views(const EpochDraws& draws, const RankBatches& batches, PictureView* views, Stream stream);

}  // namespace whorl::nn::cuda
