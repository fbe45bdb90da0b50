// SPDX-License-Identifier: BSD-3-Clause
#include "scene.hpp"

namespace whorl::synth {
namespace {

constexpr Colour leaf_green{0.22F, 0.42F, 0.14F};

Colour tint(Colour colour, KeyedRandom& random, float amount) {
  const float light = random.uniform(1 - amount, 1 + amount);
  return {colour.r * light + random.uniform(-0.05F, 0.05F), colour.g * light + random.uniform(-0.05F, 0.05F),
          colour.b * light + random.uniform(-0.05F, 0.05F)};
}

/// A gradient in a random direction, and out-of-focus spots in garden and flower colours, so that colours
/// alone tell little.
void paint_background(Canvas& canvas, KeyedRandom& random) {
  static constexpr Colour grounds[] = {{0.2F, 0.36F, 0.14F}, {0.35F, 0.5F, 0.22F}, {0.55F, 0.7F, 0.9F},
                                       {0.3F, 0.24F, 0.17F}, {0.1F, 0.12F, 0.1F},  {0.6F, 0.62F, 0.55F}};
  static constexpr Colour spots[] = {{0.25F, 0.45F, 0.15F}, {0.15F, 0.25F, 0.1F}, {0.95F, 0.85F, 0.25F},
                                     {0.85F, 0.25F, 0.3F},  {0.92F, 0.92F, 0.9F}, {0.45F, 0.3F, 0.15F},
                                     {0.8F, 0.5F, 0.7F}};
  const Colour from = tint(grounds[random.below(6)], random, 0.25F),
               to = tint(grounds[random.below(6)], random, 0.25F);
  const float direction = random.uniform(0, 2 * pi), size = float(std::max(canvas.height, canvas.width));
  const float dx = std::cos(direction) / size, dy = std::sin(direction) / size;
  canvas.paint([&](float x, float y) {
    const float t = 0.5F + (x - float(canvas.width) / 2) * dx + (y - float(canvas.height) / 2) * dy;
    return Paint{mix(from, to, std::clamp(t, 0.0F, 1.0F)), 1};
  });
  for (std::uint32_t i = 6 + random.below(7); i > 0; --i) {
    const float cx = random.uniform(0, float(canvas.width)), cy = random.uniform(0, float(canvas.height));
    const float radius = size * random.uniform(0.05F, 0.2F), opacity = random.uniform(0.25F, 0.7F);
    const Colour colour = tint(spots[random.below(7)], random, 0.3F);
    const auto spot = [&](float x, float y) {
      return Paint{colour, opacity * coverage(std::hypot(x - cx, y - cy) - radius, radius * 0.6F)};
    };
    canvas.paint(spot, {cx, cy, radius * 1.3F});
  }
}

/// A curved strip from one point to another that ends in a point: a stem (`taper` 0) or a blade of grass (1).
void paint_blade(Canvas& canvas, float x0, float y0, float x1, float y1, float half_width, float bend,
                 float taper, Colour colour) {
  const float length = std::max(1.0F, std::hypot(x1 - x0, y1 - y0)), ux = (x1 - x0) / length,
              uy = (y1 - y0) / length;
  canvas.paint([&](float x, float y) {
    const float t = ((x - x0) * ux + (y - y0) * uy) / length;
    if (t < 0 || t > 1) return Paint{};
    const float aside = (x - x0) * -uy + (y - y0) * ux - bend * length * t * (1 - t);
    const float width = half_width * (1 - taper * t * t);
    return Paint{colour * (1 - 0.25F * aside / std::max(width, 0.5F)), strip_coverage(aside, width, 1)};
  });
}

struct Pose {
  float x, y, radius, rotation, squash,
      tilt;  ///< squashed along the direction `tilt`, as a disc seen at an angle
};

Pose random_pose(const Canvas& canvas, const Flower& flower, KeyedRandom& random) {
  const float size = float(std::min(canvas.height, canvas.width));
  Pose pose{};
  pose.x = float(canvas.width) * random.uniform(0.36F, 0.64F);
  pose.y = float(canvas.height) * random.uniform(0.34F, 0.6F);
  pose.radius = size * random.uniform(0.26F, 0.46F);
  pose.rotation = flower.upright() ? random.uniform(-0.4F, 0.4F) : random.uniform(0, 2 * pi);
  pose.squash = flower.upright() ? random.uniform(0.85F, 1) : random.uniform(0.6F, 1);
  pose.tilt = random.uniform(0, pi);
  return pose;
}

void paint_flower(Canvas& canvas, const Flower& flower, const Pose& pose) {
  const float tilt_cos = std::cos(pose.tilt), tilt_sin = std::sin(pose.tilt);
  const float turn_cos = std::cos(pose.rotation), turn_sin = std::sin(pose.rotation);
  const float pixel = 1.2F / (pose.radius * pose.squash);
  constexpr float reach = 1.3F;  // tips of tulips lie outside the unit circle
  const auto shape = [&](float px, float py) {
    const float x = (px - pose.x) / pose.radius, y = (py - pose.y) / pose.radius;
    const float along = (x * tilt_cos + y * tilt_sin) / pose.squash, across = -x * tilt_sin + y * tilt_cos;
    const float u = along * tilt_cos - across * tilt_sin, v = along * tilt_sin + across * tilt_cos;
    if (u * u + v * v > reach * reach) return Paint{};
    return flower.at(u * turn_cos + v * turn_sin, -u * turn_sin + v * turn_cos, pixel);
  };
  canvas.paint(shape, {pose.x, pose.y, reach * pose.radius});
}

void paint_plant(Canvas& canvas, const Flower& flower, const Pose& pose, KeyedRandom& random) {
  const Colour green = tint(leaf_green, random, 0.3F);
  const float foot_x = pose.x + pose.radius * (random.uniform(-0.5F, 0.5F) -
                                               std::sin(pose.rotation) * (flower.upright() ? 1 : 0));
  const float foot_y = float(canvas.height) + 2, stem = pose.radius * random.uniform(0.06F, 0.1F);
  paint_blade(canvas, pose.x, pose.y, foot_x, foot_y, stem, random.uniform(-0.1F, 0.1F), 0, green);
  for (std::uint32_t leaves = random.below(3); leaves > 0; --leaves)
    paint_blade(canvas, foot_x, foot_y, foot_x + pose.radius * random.uniform(-1.6F, 1.6F),
                pose.y + pose.radius * random.uniform(0.1F, 1.2F), pose.radius * random.uniform(0.1F, 0.25F),
                random.uniform(-0.4F, 0.4F), 1, tint(green, random, 0.2F));
  paint_flower(canvas, flower, pose);
}

/// Nearly normal, with mean 0 and deviation 1: the sum of four random bytes.
float grain(KeyedRandom& random) {
  const std::uint32_t bits = random.next_u32();
  const std::uint32_t sum = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24);
  return (float(sum) - 510) / 147.8F;
}

/// Light, contrast and noise of the photograph.
void develop(Canvas& canvas, KeyedRandom& random) {
  const float gain = random.uniform(0.75F, 1.15F), lift = random.uniform(-0.04F, 0.06F),
              noise = random.uniform(0.01F, 0.05F);
  for (Colour& pixel : canvas.pixels)
    for (float* value : {&pixel.r, &pixel.g, &pixel.b}) *value = *value * gain + lift + noise * grain(random);
}

}  // namespace

image::Image draw_scene(Species species, int height, int width, KeyedRandom& random) {
  Canvas canvas(height, width);
  paint_background(canvas, random);
  if (random.below(10) < 3) {  // a smaller neighbour behind
    const auto neighbour = grow(species, random);
    Pose pose = random_pose(canvas, *neighbour, random);
    pose.x = float(width) * (random.coin() ? random.uniform(0, 0.25F) : random.uniform(0.75F, 1));
    pose.radius *= random.uniform(0.45F, 0.7F);
    paint_plant(canvas, *neighbour, pose, random);
  }
  const auto flower = grow(species, random);
  paint_plant(canvas, *flower, random_pose(canvas, *flower, random), random);
  for (std::uint32_t blades = random.below(3); blades > 0; --blades)  // in front of the flower
    paint_blade(canvas, random.uniform(0, float(width)), float(height) + 2, random.uniform(0, float(width)),
                float(height) * random.uniform(0.1F, 0.6F), float(width) * random.uniform(0.01F, 0.03F),
                random.uniform(-0.2F, 0.2F), 1, tint(leaf_green, random, 0.4F));
  develop(canvas, random);
  return to_image(canvas);
}

}  // namespace whorl::synth
