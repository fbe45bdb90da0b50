// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <memory>

#include "base/keyed_random.hpp"
#include "canvas.hpp"

namespace whorl::synth {

/// Shapes tell the classes apart; colours overlap between them on purpose.
enum class Species { daisy, dandelion, roses, sunflowers, tulips };
constexpr std::array<const char*, 5> species_names{"daisy", "dandelion", "roses", "sunflowers", "tulips"};

/// One flower in its own coordinates: the blossom fills the unit circle, y points down, and no two
/// individuals are alike.
class Flower {
 public:
  virtual ~Flower() = default;
  /// `pixel` is the size of a pixel in these coordinates.
  virtual Paint at(float x, float y, float pixel) const = 0;
  /// Seen from the side, so that its stem must point down.
  virtual bool upright() const { return false; }
};

std::unique_ptr<Flower> grow(Species species, KeyedRandom& random);

}  // namespace whorl::synth
