// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "image/image.hpp"

namespace whorl::synth {

constexpr float pi = std::numbers::pi_v<float>;

/// Linear mix of red, green and blue, each in [0, 1].
struct Colour {
  float r = 0, g = 0, b = 0;
};
inline Colour operator*(Colour c, float s) {
  return {c.r * s, c.g * s, c.b * s};
}
inline Colour mix(Colour a, Colour b, float t) {
  return {a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

/// What a shape leaves at a point: a colour that covers a part of the pixel.
struct Paint {
  Colour colour;
  float coverage = 0;
};
inline Paint over(Paint upper, Paint lower) {
  const float rest = lower.coverage * (1 - upper.coverage), coverage = upper.coverage + rest;
  return {coverage > 0 ? mix(lower.colour, upper.colour, upper.coverage / coverage) : upper.colour, coverage};
}

/// How much of a pixel lies inside an edge `distance` away (negative inside), both in the shape's units: the
/// antialiasing of every shape.
inline float coverage(float distance, float pixel) {
  return std::clamp(0.5F - distance / pixel, 0.0F, 1.0F);
}

/// The same for a strip around a line `aside` away; one thinner than a pixel fades.
inline float strip_coverage(float aside, float half_width, float pixel) {
  return coverage(std::abs(aside) - half_width, pixel) * std::min(1.0F, 2 * half_width / pixel);
}

/// Pixels within `radius` of a point.
struct Disk {
  float x, y, radius;
};

struct Canvas {
  int height, width;
  std::vector<Colour> pixels;

  Canvas(int rows, int columns) : height(rows), width(columns), pixels(std::size_t(rows) * columns) {}
  Colour& at(int y, int x) { return pixels[std::size_t(y) * width + x]; }

  /// Paints `shape(x, y)` -> Paint over every pixel, with the coordinates of pixel centres; only around
  /// `bounds` if given.
  template <typename Shape>
  void paint(const Shape& shape, const Disk& bounds = {0, 0, 1e6F}) {
    const auto [top, bottom] = clip(bounds.y, bounds.radius, height);
    const auto [left, right] = clip(bounds.x, bounds.radius, width);
    for (int y = top; y < bottom; ++y)
      for (int x = left; x < right; ++x) {
        const Paint paint = shape(float(x) + 0.5F, float(y) + 0.5F);
        if (paint.coverage > 0) at(y, x) = mix(at(y, x), paint.colour, paint.coverage);
      }
  }

 private:
  static std::pair<int, int> clip(float centre, float radius, int size) {
    return {std::max(0, int(centre - radius)), std::min(size, int(centre + radius) + 1)};
  }
};

image::Image to_image(const Canvas& canvas);

}  // namespace whorl::synth
