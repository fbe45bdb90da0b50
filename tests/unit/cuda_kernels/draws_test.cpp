// SPDX-License-Identifier: BSD-3-Clause
// Orders and views drawn on the GPU, beside those of the CPU's loader.
#include "nn/cuda/kernels/draws.hpp"

#include <fmt/format.h>

#include "cuda_kernels/emulated_gpu.hpp"
#include "dataset/epoch_order.hpp"
#include "train/augment.hpp"
#include "train/cuda/epoch_draws.hpp"

namespace whorl::nn::cuda {
namespace {

std::vector<PictureView> drawn(const EpochDraws& draws, const RankBatches& batches) {
  return in_every_order([&] {
    auto views = DeviceArray<PictureView>::poisoned(batches.batches * batches.samples);
    draw_views(draws, batches, views.data(), nullptr);
    views.expect_all_written();
    return views.values();
  });
}

constexpr int size = 9;

/// Every pixel of every picture differs from its neighbours'.
std::vector<std::uint8_t> picture(std::int64_t sample) {
  std::vector<std::uint8_t> pixels(std::size_t{size} * size * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>((i * 89 + static_cast<std::size_t>(sample) * 31) % 251);
  return pixels;
}

void expect_views_of_the_loader(const train::AugmentOptions& options, std::uint64_t seed, std::uint32_t epoch,
                                std::int64_t pictures) {
  SCOPED_TRACE(fmt::format("{} seed {} epoch {} pictures {}", options.flip, seed, epoch, pictures));
  const RankBatches batches{.batches = pictures / 20, .batch = 20, .samples = 8, .first = 4};
  const std::vector<PictureView> views = drawn(train::epoch_draws(options, seed, epoch, pictures), batches);
  const double mean[] = {0, 0, 0};
  const train::Augmenter augmenter(options, size, size, mean, seed);
  const dataset::EpochOrder order(seed, epoch, pictures);
  std::vector<std::uint8_t> expected(picture(0).size()), actual(expected.size());
  for (std::int64_t i = 0; i < std::ssize(views); ++i) {
    const PictureView& view = views[std::size_t(i)];
    const std::int64_t sample = order(i / 8 * 20 + 4 + i % 8);
    ASSERT_EQ(view.picture, sample) << i;
    augmenter.training_view(epoch, sample, picture(sample).data(), expected.data());
    train::shifted_view(picture(sample).data(), size, view.dy, view.dx, view.mirrored != 0, actual.data());
    ASSERT_EQ(actual, expected) << i;
  }
}

TEST(DrawKernels, DrawTheViewsOfTheLoader) {
  for (const std::string flip : {"none", "random", "alternating"})
    for (const std::uint32_t epoch : {0U, 1U, 2U, 7U})
      expect_views_of_the_loader({.flip = flip, .crop_padding = 4}, 1, epoch, 400);
  expect_views_of_the_loader({.flip = "alternating", .crop_padding = 0}, 0xfedcba9876543210U, 3, 1000);
  expect_views_of_the_loader({.flip = "random", .crop_padding = 8}, 2, 1, 33);
}

TEST(DrawKernels, AnEpochHasEveryPictureOnce) {
  const std::vector<PictureView> views =
      drawn(train::epoch_draws({}, 5, 2, 999), {.batches = 1, .batch = 999, .samples = 999});
  std::vector<int> seen(999);
  for (const PictureView& view : views) ++seen[std::size_t(view.picture)];
  EXPECT_EQ(seen, std::vector<int>(999, 1));
}

TEST(DrawKernels, InARingTheViewsAreTheSameAndThePicturesTheirPlaces) {
  const EpochDraws draws = train::epoch_draws({.flip = "random", .crop_padding = 2}, 3, 1, 300);
  const RankBatches all{.batches = 10, .batch = 30, .samples = 30};
  RankBatches ring = all;
  ring.held = 60;
  std::vector<PictureView> expected = drawn(draws, all);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i].picture = static_cast<std::int32_t>(i % 60);
  EXPECT_TRUE(drawn(draws, ring) == expected);
}

TEST(DrawKernels, OnlyShiftsAndMirrorImagesAreDrawn) {
  EXPECT_TRUE(train::are_drawn_on_gpu({.flip = "alternating", .crop_padding = 2}, 32, 32));
  EXPECT_FALSE(train::are_drawn_on_gpu({.random_resized_crop = true}, 32, 32));
  EXPECT_FALSE(train::are_drawn_on_gpu({.cutout = 8}, 32, 32));
  EXPECT_FALSE(train::are_drawn_on_gpu({}, 192, 96));
}

}  // namespace
}  // namespace whorl::nn::cuda
