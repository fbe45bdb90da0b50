// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/keyed_random.hpp"

namespace whorl::train {

struct AugmentOptions {
  /// none | random | alternating (random in epoch 0, then the whole set mirrored on odd epochs: airbench94)
  std::string flip = "none";
  int crop_padding = 0;  ///< reflect-pad by this many pixels, then crop at a random place
  /// Area in [min_area, 1], aspect 3/4..4/3 (Szegedy et al. 2015), resized antialiased.
  bool random_resized_crop = false;
  double min_area = 0.25;
  int cutout = 0;  ///< side of a square set to the channel mean (DeVries & Taylor 2017)
};

/// Draws the training view of a picture: a pure function of (seed, epoch, sample), never of the rank.
class Augmenter {
 public:
  /// Pictures come as (input_size, input_size, 3), leave as (output_size, output_size, 3). Without
  /// random_resized_crop another output size is reached by an antialiased resize. `mean` in [0, 1] fills
  /// cutouts.
  Augmenter(AugmentOptions options, int input_size, int output_size, const double* mean, std::uint64_t seed);
  void training_view(std::uint32_t epoch, std::int64_t sample, const std::uint8_t* in,
                     std::uint8_t* out) const;
  /// Resize only.
  void evaluation_view(const std::uint8_t* in, std::uint8_t* out) const;

 private:
  void random_resized_crop(KeyedRandom& random, const std::uint8_t* in, std::uint8_t* out) const;
  void cut_out(KeyedRandom& random, std::uint8_t* picture) const;

  AugmentOptions options_;
  int input_size_, output_size_;
  std::array<std::uint8_t, 3> fill_;
  std::uint64_t seed_;
};

/// Moves a picture by (dy, dx) pixels, down and to the right, with reflected borders, then mirrors it if
/// asked: the views of test-time augmentation. `in` and `out` are (size, size, 3) and do not overlap; |dy|,
/// |dx| < size.
void shifted_view(const std::uint8_t* in, int size, int dy, int dx, bool mirror, std::uint8_t* out);

}  // namespace whorl::train
