// SPDX-License-Identifier: BSD-3-Clause
#include "canvas.hpp"

namespace whorl::synth {

image::Image to_image(const Canvas& canvas) {
  const auto to_byte = [](float value) {
    return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, 1.0F) * 255));
  };
  image::Image image(canvas.height, canvas.width);
  for (std::size_t i = 0; i < canvas.pixels.size(); ++i) {
    image.pixels[3 * i] = to_byte(canvas.pixels[i].r);
    image.pixels[3 * i + 1] = to_byte(canvas.pixels[i].g);
    image.pixels[3 * i + 2] = to_byte(canvas.pixels[i].b);
  }
  return image;
}

}  // namespace whorl::synth
