// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "flower.hpp"

namespace whorl::synth {

/// A picture of (height, width) with one or two flowers of `species` in front of a blurred garden: random
/// pose, scale, light, occlusion and sensor noise, all drawn from `random`.
image::Image draw_scene(Species species, int height, int width, KeyedRandom& random);

}  // namespace whorl::synth
