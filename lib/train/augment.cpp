// SPDX-License-Identifier: BSD-3-Clause
#include "train/augment.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "image/resize.hpp"

namespace whorl::train {

namespace {

std::size_t bytes_of(int size) {
  return std::size_t(size) * size * 3;
}

image::Image to_image(const std::uint8_t* pixels, int size) {
  image::Image picture(size, size);
  std::copy_n(pixels, bytes_of(size), picture.pixels.data());
  return picture;
}

/// The pixel that reflection at the border pixels puts at `index`, -size < index < 2 size - 1.
int reflect(int index, int size) {
  if (index < 0) return -index;
  return index < size ? index : 2 * (size - 1) - index;
}

/// A uniform integer in [0, last].
int draw_up_to(KeyedRandom& random, int last) {
  return static_cast<int>(random.below(static_cast<std::uint32_t>(last) + 1));
}

/// Area and aspect as RandomResizedCrop of torchvision draws them: aspect uniform in its logarithm, ten
/// attempts, then the whole picture.
image::Window draw_window(KeyedRandom& random, int size, double min_area) {
  const float largest_log_aspect = std::log(4.0F / 3.0F);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = double(size) * size * random.uniform(static_cast<float>(min_area), 1.0F);
    const double aspect = std::exp(random.uniform(-largest_log_aspect, largest_log_aspect));
    const int width = static_cast<int>(std::lround(std::sqrt(area * aspect)));
    const int height = static_cast<int>(std::lround(std::sqrt(area / aspect)));
    if (width < 1 || height < 1 || width > size || height > size) continue;
    const int top = draw_up_to(random, size - height);
    const int left = draw_up_to(random, size - width);
    return {double(top), double(left), double(height), double(width)};
  }
  return {0, 0, double(size), double(size)};
}

void check(const AugmentOptions& options, int output_size) {
  if (options.flip != "none" && options.flip != "random" && options.flip != "alternating")
    throw UsageError(fmt::format(
        "augmentation: flip cannot be \"{}\"; it is one of none, random, alternating", options.flip));
  if (options.crop_padding < 0 || options.crop_padding >= output_size)
    throw UsageError(fmt::format("augmentation: pictures of {} pixels cannot be padded by {} reflected ones",
                                 output_size, options.crop_padding));
  if (!(options.min_area > 0 && options.min_area <= 1))
    throw UsageError(fmt::format(
        "augmentation: the smallest area of a random crop is {}, it must lie in (0, 1]", options.min_area));
  if (options.cutout < 0 || options.cutout > output_size)
    throw UsageError(
        fmt::format("augmentation: a cutout of {} pixels does not fit into {}", options.cutout, output_size));
}

}  // namespace

Augmenter::Augmenter(AugmentOptions options, int input_size, int output_size, const double* mean,
                     std::uint64_t seed)
    : options_(std::move(options)), input_size_(input_size), output_size_(output_size), fill_{}, seed_(seed) {
  check(options_, output_size);
  for (std::size_t channel = 0; channel < 3; ++channel)
    fill_[channel] = static_cast<std::uint8_t>(std::lround(std::clamp(mean[channel], 0.0, 1.0) * 255.0));
}

void Augmenter::training_view(std::uint32_t epoch, std::int64_t sample, const std::uint8_t* in,
                              std::uint8_t* out) const {
  const auto key = static_cast<std::uint64_t>(sample);
  KeyedRandom random(seed_, RandomPurpose::augmentation, epoch, key);
  const bool coin =
      random.coin();  // drawn whether it is used or not: the other choices do not depend on the kind of flip
  std::vector<std::uint8_t> sized;
  if (options_.random_resized_crop || input_size_ != output_size_) {
    sized.resize(bytes_of(output_size_));
    if (options_.random_resized_crop)
      random_resized_crop(random, in, sized.data());
    else
      evaluation_view(in, sized.data());
    in = sized.data();
  }
  const int dy = draw_up_to(random, 2 * options_.crop_padding) - options_.crop_padding;
  const int dx = draw_up_to(random, 2 * options_.crop_padding) - options_.crop_padding;
  if (options_.flip == "alternating") {
    const bool flipped_first = KeyedRandom(seed_, RandomPurpose::augmentation, 0, key).coin();
    const bool mirrored_last = epoch % 2 == 1;
    // Flipping before a shift is the opposite shift, then a flip.
    shifted_view(in, output_size_, dy, flipped_first ? -dx : dx, flipped_first != mirrored_last, out);
  } else {
    shifted_view(in, output_size_, dy, dx, options_.flip == "random" && coin, out);
  }
  cut_out(random, out);
}

void Augmenter::evaluation_view(const std::uint8_t* in, std::uint8_t* out) const {
  if (input_size_ == output_size_) {
    std::copy_n(in, bytes_of(input_size_), out);
    return;
  }
  const auto side = static_cast<double>(input_size_);
  image::resize(to_image(in, input_size_), {0, 0, side, side}, output_size_, output_size_, out);
}

void Augmenter::random_resized_crop(KeyedRandom& random, const std::uint8_t* in, std::uint8_t* out) const {
  const image::Window window = draw_window(random, input_size_, options_.min_area);
  image::resize(to_image(in, input_size_), window, output_size_, output_size_, out);
}

/// The square's centre is any pixel, so that parts of it may lie outside.
void Augmenter::cut_out(KeyedRandom& random, std::uint8_t* picture) const {
  if (options_.cutout == 0) return;
  const int top = draw_up_to(random, output_size_ - 1) - options_.cutout / 2;
  const int left = draw_up_to(random, output_size_ - 1) - options_.cutout / 2;
  for (int y = std::max(top, 0); y < std::min(top + options_.cutout, output_size_); ++y)
    for (int x = std::max(left, 0); x < std::min(left + options_.cutout, output_size_); ++x)
      std::copy(fill_.begin(), fill_.end(), picture + (std::size_t(y) * output_size_ + x) * 3);
}

void shifted_view(const std::uint8_t* in, int size, int dy, int dx, bool mirror, std::uint8_t* out) {
  for (int y = 0; y < size; ++y) {
    const std::uint8_t* row = in + std::size_t(reflect(y - dy, size)) * size * 3;
    for (int x = 0; x < size; ++x, out += 3)
      std::memcpy(out, row + std::size_t(reflect((mirror ? size - 1 - x : x) - dx, size)) * 3, 3);
  }
}

}  // namespace whorl::train
