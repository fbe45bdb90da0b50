// SPDX-License-Identifier: BSD-3-Clause
#include "train/cuda/epoch_draws.hpp"

#include <algorithm>

#include "base/keyed_random.hpp"
#include "dataset/epoch_order.hpp"

namespace whorl::train {

namespace {

using nn::cuda::Flip;

nn::cuda::StreamKey augmentation_key(std::uint64_t seed, std::uint32_t epoch) {
  const auto [low, high] = KeyedRandom(seed, RandomPurpose::augmentation, epoch, 0).key();
  return {low, high};
}

Flip flip_of(const AugmentOptions& augment) {
  if (augment.flip == "alternating") return Flip::alternating;
  return augment.flip == "random" ? Flip::random : Flip::none;
}

}  // namespace

nn::cuda::EpochDraws epoch_draws(const AugmentOptions& augment, std::uint64_t seed, std::uint32_t epoch,
                                 std::int64_t pictures) {
  const dataset::EpochOrder order(seed, epoch, pictures);
  nn::cuda::EpochDraws draws{.pictures = pictures,
                             .half_bits = order.half_bits(),
                             .augmentation = augmentation_key(seed, epoch),
                             .first_epoch = augmentation_key(seed, 0),
                             .is_odd = epoch % 2 == 1,
                             .flip = flip_of(augment),
                             .crop_padding = augment.crop_padding};
  static_assert(std::size(draws.order_keys) == dataset::EpochOrder::rounds);
  std::copy(order.keys().begin(), order.keys().end(), draws.order_keys);
  return draws;
}

bool are_drawn_on_gpu(const AugmentOptions& augment, int input_size, int output_size) {
  return !augment.random_resized_crop && augment.cutout == 0 && input_size == output_size;
}

}  // namespace whorl::train
