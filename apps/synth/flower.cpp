// SPDX-License-Identifier: BSD-3-Clause
#include "flower.hpp"

namespace whorl::synth {
namespace {

float angle_difference(float a, float b) {
  return std::remainder(a - b, 2 * pi);
}

/// A number in [0, 1) that belongs to a petal of an individual (the finaliser of MurmurHash3).
float trait(int petal, std::uint32_t individual) {
  std::uint32_t hash = individual + static_cast<std::uint32_t>(petal) * 0x9E3779B9U;
  hash = (hash ^ hash >> 16) * 0x85EBCA6BU;
  hash = (hash ^ hash >> 13) * 0xC2B2AE35U;
  return static_cast<float>((hash ^ hash >> 16) >> 8) * 0x1p-24F;
}

Colour vary(Colour colour, KeyedRandom& random, float amount) {
  return {colour.r + random.uniform(-amount, amount), colour.g + random.uniform(-amount, amount),
          colour.b + random.uniform(-amount, amount)};
}

template <std::size_t N>
Colour pick(const Colour (&palette)[N], KeyedRandom& random) {
  return vary(palette[random.below(N)], random, 0.06F);
}

/// Petals around a centre. `sharpness` shapes their ends: 0.4 is a rounded strap, 1.5 a point.
struct Whorl {
  int petals = 0;
  float phase = 0, inner = 0, length = 1, half_width = 0.1F, sharpness = 1, irregularity = 0.1F;
  std::uint32_t individual = 0;
  Colour base, tip;

  Paint at(float x, float y, float pixel) const {
    const float radius = std::hypot(x, y), angle = std::atan2(y, x), step = 2 * pi / float(petals);
    const int nearest = static_cast<int>(std::lround((angle - phase) / step));
    Paint result;
    for (const int index : {nearest - 1, nearest + 1, nearest})
      result = over(petal(index, radius, angle, step, pixel), result);
    return result;
  }

 private:
  Paint petal(int index, float radius, float angle, float step, float pixel) const {
    const int number = ((index % petals) + petals) % petals;
    const float own_length = length * (1 - irregularity * trait(number, individual));
    const float t = (radius - inner) / (own_length - inner);  // 0 at the base, 1 at the tip
    if (t <= 0 || t >= 1) return {};
    const float lean = irregularity * step * (trait(number + 40, individual) - 0.5F);
    const float aside = angle_difference(angle, phase + step * float(index) + lean) * radius;
    const float width =
        half_width * (0.35F + 0.65F * std::min(1.0F, t * 2.5F)) * std::pow(1 - t * t * t, sharpness);
    const float across = std::min(1.0F, std::abs(aside) / std::max(width, 1e-4F));
    const float shade = 0.86F + 0.14F * trait(number + 80, individual) - 0.22F * across * across;
    return {mix(base, tip, t) * shade, strip_coverage(aside, width, pixel)};
  }
};

/// A round centre; `grain` bumps along the two families of spirals of a seed head.
struct Disc {
  float radius = 0.3F, grain = 0.2F, phase = 0;
  int spirals = 13;
  Colour rim, middle;

  Paint at(float x, float y, float pixel) const {
    const float r = std::hypot(x, y), angle = std::atan2(y, x), s = r / radius;
    if (s > 1.2F) return {};
    const float turns = std::sqrt(std::max(s, 0.0F)) * float(spirals) * 1.6F;
    const float bumps = std::sin(float(spirals) * angle + turns + phase) *
                        std::sin(float(spirals + 8) * angle - turns * 1.3F);
    return {mix(middle, rim, s * s) * (1 + grain * bumps), coverage(r - radius, pixel)};
  }
};

class Daisy : public Flower {
 public:
  explicit Daisy(KeyedRandom& random) {
    static constexpr Colour petals[] = {{0.95F, 0.95F, 0.93F},
                                        {0.95F, 0.95F, 0.93F},
                                        {0.93F, 0.62F, 0.75F},
                                        {0.95F, 0.85F, 0.35F},
                                        {0.72F, 0.58F, 0.88F}};
    static constexpr Colour centres[] = {{0.95F, 0.75F, 0.12F}, {0.88F, 0.6F, 0.1F}, {0.55F, 0.38F, 0.12F}};
    const Colour colour = pick(petals, random);
    whorl_.petals = 11 + int(random.below(9));
    whorl_.phase = random.uniform(0, 2 * pi);
    whorl_.inner = 0.15F;
    whorl_.half_width = random.uniform(0.65F, 0.85F) * pi / float(whorl_.petals) * 0.8F;
    whorl_.sharpness = random.uniform(0.35F, 0.5F);
    whorl_.irregularity = random.uniform(0.05F, 0.25F);
    whorl_.individual = random.next_u32();
    whorl_.base = colour * 0.82F;
    whorl_.tip = colour;
    const Colour centre = pick(centres, random);
    disc_ = {random.uniform(0.22F, 0.32F), 0.15F, random.uniform(0, 6), 13, centre * 0.8F, centre};
  }
  Paint at(float x, float y, float pixel) const override {
    return over(disc_.at(x, y, pixel), whorl_.at(x, y, pixel));
  }

 private:
  Whorl whorl_;
  Disc disc_;
};

class Sunflower : public Flower {
 public:
  explicit Sunflower(KeyedRandom& random) {
    static constexpr Colour petals[] = {
        {0.98F, 0.78F, 0.08F}, {0.95F, 0.65F, 0.08F}, {0.97F, 0.88F, 0.4F}, {0.75F, 0.28F, 0.1F}};
    static constexpr Colour centres[] = {
        {0.25F, 0.14F, 0.07F}, {0.36F, 0.22F, 0.08F}, {0.45F, 0.42F, 0.14F}, {0.7F, 0.5F, 0.12F}};
    const Colour colour = pick(petals, random), centre = pick(centres, random);
    const float disc = random.uniform(0.42F, 0.56F);
    Whorl whorl;
    whorl.petals = 15 + int(random.below(8));
    whorl.phase = random.uniform(0, 2 * pi);
    whorl.inner = disc * 0.7F;
    whorl.half_width = random.uniform(0.85F, 1.05F) * pi / float(whorl.petals) * 0.72F;
    whorl.sharpness = random.uniform(1.1F, 1.6F);
    whorl.irregularity = random.uniform(0.1F, 0.25F);
    whorl.individual = random.next_u32();
    whorl.base = mix(colour, centre, 0.35F);
    whorl.tip = colour;
    front_ = whorl;
    whorl.phase += pi / float(whorl.petals);
    whorl.individual = random.next_u32();
    whorl.base = whorl.base * 0.75F;
    whorl.tip = whorl.tip * 0.82F;
    back_ = whorl;
    disc_ = {disc, 0.45F, random.uniform(0, 6), 21, centre, centre * random.uniform(0.5F, 1.3F)};
  }
  Paint at(float x, float y, float pixel) const override {
    return over(disc_.at(x, y, pixel), over(front_.at(x, y, pixel), back_.at(x, y, pixel)));
  }

 private:
  Whorl front_, back_;
  Disc disc_;
};

/// A blossom of many narrow florets without a disc, or the grey ball of seeds that it becomes.
class Dandelion : public Flower {
 public:
  explicit Dandelion(KeyedRandom& random) : seeds_(random.below(5) < 2) {
    static constexpr Colour florets[] = {{0.97F, 0.82F, 0.1F}, {0.95F, 0.7F, 0.1F}, {0.96F, 0.9F, 0.55F}};
    colour_ = seeds_ ? vary({0.86F, 0.86F, 0.84F}, random, 0.08F) : pick(florets, random);
    for (int layer = 0; layer < layers; ++layer) {
      Whorl& whorl = whorls_[layer];
      const float size = 1 - 0.22F * float(layer);
      whorl.petals = 40 - 7 * layer + int(random.below(7));
      whorl.phase = random.uniform(0, 2 * pi);
      whorl.inner = 0.02F;
      whorl.length = size;
      whorl.half_width = (seeds_ ? 0.35F : 0.75F) * size * pi / float(whorl.petals);
      whorl.sharpness = 0.3F;
      whorl.irregularity = 0.35F;
      whorl.individual = random.next_u32();
      const float light = 0.72F + 0.28F * float(layer + 1) / float(layers);
      whorl.tip = colour_ * light;
      whorl.base = seeds_ ? colour_ * (0.7F * light) : mix(colour_, {0.8F, 0.45F, 0.05F}, 0.5F) * light;
    }
    receptacle_ = {seeds_ ? 0.13F : 0.0F, 0.3F, 0, 5, {0.45F, 0.36F, 0.2F}, {0.5F, 0.45F, 0.3F}};
  }
  Paint at(float x, float y, float pixel) const override {
    Paint result;
    for (const Whorl& whorl : whorls_) result = over(whorl.at(x, y, pixel), result);
    if (!seeds_) return result;
    result = over(receptacle_.at(x, y, pixel), result);
    const Paint down{colour_, 0.35F * coverage(std::hypot(x, y) - 0.95F,
                                               0.15F)};  // the parachutes together, half transparent
    return over({result.colour, result.coverage * 0.8F}, down);
  }

 private:
  static constexpr int layers = 4;
  bool seeds_;
  Colour colour_;
  std::array<Whorl, layers> whorls_;
  Disc receptacle_;
};

/// Shells of broad petals one inside the other; each throws a shadow on the next and turns a little further.
class Rose : public Flower {
 public:
  explicit Rose(KeyedRandom& random) {
    static constexpr Colour petals[] = {{0.82F, 0.1F, 0.16F}, {0.93F, 0.5F, 0.6F},   {0.95F, 0.9F, 0.82F},
                                        {0.96F, 0.78F, 0.3F}, {0.92F, 0.48F, 0.28F}, {0.62F, 0.12F, 0.36F}};
    colour_ = pick(petals, random);
    phase_ = random.uniform(0, 2 * pi);
    turn_ = random.uniform(0.7F, 1.5F);
    shells_ = 5 + int(random.below(3));
    lobes_ = random.uniform(0.08F, 0.16F);
  }
  Paint at(float x, float y, float pixel) const override {
    const float angle = std::atan2(y, x), radius = std::hypot(x, y);
    Paint result;
    for (int shell = 0; shell < shells_; ++shell) result = over(petals(shell, angle, radius, pixel), result);
    return result;
  }

 private:
  Paint petals(int shell, float angle, float radius, float pixel) const {
    const float depth = float(shell) / float(shells_), size = 1 - 0.92F * depth;
    const int count = shell < 2 ? 5 : 3;
    const float around = float(count) * (angle - phase_ - turn_ * float(shell)) / 2;
    const float edge = size * (1 - lobes_ + lobes_ * std::abs(std::cos(around)));
    const float inside =
        (edge - radius) / (0.92F / float(shells_));  // 0 at the rim, 1 where the next shell begins
    if (inside < -1) return {};
    const float rim = std::exp(-6 * std::max(inside, 0.0F)),
                crease = std::pow(std::abs(std::sin(around)), 12.0F);
    const float shade =
        0.95F - 0.38F * std::clamp(inside, 0.0F, 1.2F) + 0.18F * rim - 0.2F * crease - 0.18F * depth;
    return {colour_ * shade, coverage(radius - edge, pixel)};
  }

  Colour colour_;
  float phase_ = 0, turn_ = 1, lobes_ = 0.1F;
  int shells_ = 6;
};

/// A cup seen from the side: pointed petals behind, two at the sides, one in front.
class Tulip : public Flower {
 public:
  explicit Tulip(KeyedRandom& random) {
    static constexpr Colour petals[] = {{0.85F, 0.12F, 0.14F}, {0.96F, 0.8F, 0.15F},  {0.92F, 0.5F, 0.65F},
                                        {0.55F, 0.2F, 0.55F},  {0.94F, 0.92F, 0.86F}, {0.95F, 0.5F, 0.15F}};
    colour_ = pick(petals, random);
    base_ = mix(colour_, random.coin() ? Colour{0.95F, 0.85F, 0.3F} : Colour{0.5F, 0.6F, 0.25F},
                random.uniform(0.1F, 0.5F));
    openness_ = random.uniform(0.05F, 0.42F);
    width_ = random.uniform(0.36F, 0.48F);
    sway_ = random.uniform(-0.06F, 0.06F);
  }
  bool upright() const override { return true; }
  Paint at(float x, float y, float pixel) const override {
    Paint result = petal(x, y, pixel, -0.5F * openness_, 0.7F, 0.95F);
    result = over(petal(x, y, pixel, 0.5F * openness_, 0.72F, 0.95F), result);
    result = over(petal(x, y, pixel, -openness_ - 0.12F, 0.9F, 1), result);
    result = over(petal(x, y, pixel, openness_ + 0.12F, 0.86F, 1), result);
    return over(petal(x, y, pixel, sway_, 1, 0.86F), result);
  }

 private:
  /// From the base at (0, 0.85) up, leaning by `lean` radians; a full belly and a pointed tip.
  Paint petal(float x, float y, float pixel, float lean, float light, float length) const {
    const float dx = x, dy = 0.85F - y;
    const float along = dx * std::sin(lean) + dy * std::cos(lean),
                aside = dx * std::cos(lean) - dy * std::sin(lean);
    const float t = along / (1.75F * length);
    if (t <= 0 || t >= 1) return {};
    const float width = width_ * 2.1F * std::pow(t, 0.55F) * std::pow(1 - t, 0.75F);
    const float across = std::clamp(aside / std::max(width, 1e-4F), -1.0F, 1.0F);
    const float veins = 0.05F * std::sin(across * 14);
    const float shade = light * (1.02F - 0.3F * across * across + veins);
    return {mix(base_, colour_, std::min(1.0F, t * 1.8F)) * shade, strip_coverage(aside, width, pixel)};
  }

  Colour colour_, base_;
  float openness_ = 0.2F, width_ = 0.4F, sway_ = 0;
};

}  // namespace

std::unique_ptr<Flower> grow(Species species, KeyedRandom& random) {
  switch (species) {
    case Species::daisy:
      return std::make_unique<Daisy>(random);
    case Species::dandelion:
      return std::make_unique<Dandelion>(random);
    case Species::roses:
      return std::make_unique<Rose>(random);
    case Species::sunflowers:
      return std::make_unique<Sunflower>(random);
    case Species::tulips:
      break;
  }
  return std::make_unique<Tulip>(random);
}

}  // namespace whorl::synth
