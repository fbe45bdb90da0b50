// SPDX-License-Identifier: BSD-3-Clause
#include "train/augment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "image/resize.hpp"
#include "support/thrown_message.hpp"

namespace whorl::train {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

using Pixels = std::vector<std::uint8_t>;
constexpr double mean[3] = {0.25, 0.5, 0.75};

/// Red is 10 y + x, so that a pixel tells where it came from; green and blue differ from it.
Pixels map_picture(int size) {
  Pixels pixels;
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x)
      for (int c = 0; c < 3; ++c) pixels.push_back(static_cast<std::uint8_t>(10 * y + x + 80 * c));
  return pixels;
}

Pixels channel(const Pixels& pixels, std::size_t index) {
  Pixels values;
  for (std::size_t i = index; i < pixels.size(); i += 3) values.push_back(pixels[i]);
  return values;
}

Pixels shifted(const Pixels& in, int size, int dy, int dx, bool mirror) {
  Pixels out(in.size());
  shifted_view(in.data(), size, dy, dx, mirror, out.data());
  return out;
}

struct Views {
  Views(const AugmentOptions& options, int in_size, int out_size, std::uint64_t seed = 5)
      : augmenter(options, in_size, out_size, mean, seed), output_size(out_size) {}
  Pixels training(std::uint32_t epoch, std::int64_t sample, const Pixels& in) const {
    Pixels out(std::size_t(output_size) * output_size * 3);
    augmenter.training_view(epoch, sample, in.data(), out.data());
    return out;
  }
  Pixels evaluation(const Pixels& in) const {
    Pixels out(std::size_t(output_size) * output_size * 3);
    augmenter.evaluation_view(in.data(), out.data());
    return out;
  }
  Augmenter augmenter;
  int output_size;
};

TEST(ShiftedView, ReflectsAtTheBorderPixels) {
  const Pixels picture = map_picture(4);
  EXPECT_EQ(shifted(picture, 4, 0, 0, false), picture);
  const Pixels down_and_left = shifted(picture, 4, 1, -1, false);
  EXPECT_THAT(channel(down_and_left, 0),
              ElementsAreArray({11, 12, 13, 12, 1, 2, 3, 2, 11, 12, 13, 12, 21, 22, 23, 22}));
  EXPECT_THAT(channel(down_and_left, 2)[0], 11 + 160);
  EXPECT_THAT(channel(shifted(picture, 4, -3, 2, false), 0),
              ElementsAreArray({32, 31, 30, 31, 22, 21, 20, 21, 12, 11, 10, 11, 2, 1, 0, 1}));
}

TEST(ShiftedView, MirrorsAfterTheShift) {
  const Pixels picture = map_picture(4);
  EXPECT_THAT(channel(shifted(picture, 4, 0, 0, true), 0),
              ElementsAreArray({3, 2, 1, 0, 13, 12, 11, 10, 23, 22, 21, 20, 33, 32, 31, 30}));
  EXPECT_THAT(channel(shifted(picture, 4, 1, -1, true), 0),
              ElementsAreArray({12, 13, 12, 11, 2, 3, 2, 1, 12, 13, 12, 11, 22, 23, 22, 21}));
}

TEST(Augmenter, ChangesNothingUnasked) {
  const Pixels picture = map_picture(6);
  const Views views({}, 6, 6);
  EXPECT_EQ(views.training(3, 4, picture), picture);
  EXPECT_EQ(views.evaluation(picture), picture);
}

TEST(Augmenter, FlipsHalfAtRandom) {
  const Pixels picture = map_picture(6);
  const Pixels mirrored = shifted(picture, 6, 0, 0, true);
  const Views views({.flip = "random"}, 6, 6);
  int flips = 0;
  for (std::int64_t sample = 0; sample < 1000; ++sample) {
    const Pixels view = views.training(1, sample, picture);
    ASSERT_TRUE(view == picture || view == mirrored);
    flips += view == mirrored;
  }
  EXPECT_NEAR(flips, 500, 64);  // four standard deviations
}

// airbench94: the set is flipped at random once and seen mirrored in odd epochs, so every sample alternates.
TEST(Augmenter, AlternatesFlips) {
  const Pixels picture = map_picture(6);
  const Pixels mirrored = shifted(picture, 6, 0, 0, true);
  const Views views({.flip = "alternating"}, 6, 6);
  int flips = 0;
  for (std::int64_t sample = 0; sample < 1000; ++sample) {
    const bool first = views.training(0, sample, picture) == mirrored;
    flips += first;
    for (std::uint32_t epoch = 1; epoch < 4; ++epoch)
      ASSERT_EQ(views.training(epoch, sample, picture), (epoch % 2 == 1) != first ? mirrored : picture);
  }
  EXPECT_NEAR(flips, 500, 64);
}

TEST(Augmenter, CropsEveryPlaceOfThePaddedPicture) {
  const Pixels picture = map_picture(6);
  std::vector<Pixels> places;
  for (int dy = -2; dy <= 2; ++dy)
    for (int dx = -2; dx <= 2; ++dx) places.push_back(shifted(picture, 6, dy, dx, false));
  std::vector<int> hits(25);
  const Views views({.crop_padding = 2}, 6, 6);
  for (std::int64_t sample = 0; sample < 2500; ++sample) {
    const auto found = std::find(places.begin(), places.end(), views.training(0, sample, picture));
    ASSERT_NE(found, places.end());
    ++hits[found - places.begin()];
  }
  for (const int count : hits) EXPECT_NEAR(count, 100, 40);  // four standard deviations
}

// The order of the recipe step by step (flip, crop, then mirror) for the shift that the same sample has
// without a flip.
TEST(Augmenter, CropsTheFlippedPicture) {
  const Pixels picture = map_picture(6);
  const Pixels flipped = shifted(picture, 6, 0, 0, true);
  const Views without({.flip = "none", .crop_padding = 2}, 6, 6);
  const Views with({.flip = "alternating", .crop_padding = 2}, 6, 6);
  const Views flips_only({.flip = "alternating"}, 6, 6);
  for (std::int64_t sample = 0; sample < 50; ++sample) {
    for (std::uint32_t epoch = 0; epoch < 2; ++epoch) {
      const bool flipped_first = flips_only.training(0, sample, picture) == flipped;
      const Pixels cropped = without.training(epoch, sample, flipped_first ? flipped : picture);
      ASSERT_EQ(with.training(epoch, sample, picture),
                epoch == 1 ? shifted(cropped, 6, 0, 0, true) : cropped);
    }
  }
}

TEST(Augmenter, IsAPureFunctionOfSeedEpochAndSample) {
  const Pixels picture = map_picture(6);
  const AugmentOptions options{.flip = "random", .crop_padding = 2, .cutout = 2};
  const Views views(options, 6, 6), same(options, 6, 6), other_seed(options, 6, 6, 6);
  int by_epoch = 0, by_sample = 0, by_seed = 0;
  for (std::int64_t sample = 0; sample < 100; ++sample) {
    const Pixels view = views.training(7, sample, picture);
    EXPECT_EQ(view, same.training(7, sample, picture));
    by_epoch += view == views.training(8, sample, picture);
    by_sample += view == views.training(7, sample + 1, picture);
    by_seed += view == other_seed.training(7, sample, picture);
  }
  // 2 * 25 * 36 equally likely views: equal ones are rare.
  EXPECT_LT(by_epoch, 5);
  EXPECT_LT(by_sample, 5);
  EXPECT_LT(by_seed, 5);
}

TEST(Augmenter, ResizesToTheOutputSize) {
  const Pixels picture = map_picture(8);
  image::Image source(8, 8);
  source.pixels = picture;
  Pixels expected(4 * 4 * 3);
  image::resize(source, {0, 0, 8, 8}, 4, 4, expected.data());
  const Views views({.flip = "random"}, 8, 4);
  EXPECT_EQ(views.evaluation(picture), expected);
  const Pixels view = views.training(0, 1, picture);
  EXPECT_TRUE(view == expected || view == shifted(expected, 4, 0, 0, true));
}

/// Red is 4 y, green 4 x: slopes of a resized crop tell its height and width, values its place.
Pixels gradient_picture() {
  Pixels pixels;
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 64; ++x)
      for (const int value : {4 * y, 4 * x, 0}) pixels.push_back(static_cast<std::uint8_t>(value));
  return pixels;
}

TEST(Augmenter, DrawsAreaAndAspectOfResizedCrops) {
  const Pixels picture = gradient_picture();
  const Views views({.random_resized_crop = true, .min_area = 0.25}, 64, 32);
  double least_area = 1, largest_area = 0, least_aspect = 2, largest_aspect = 0, top_sum = 0;
  constexpr int samples = 400;
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    const Pixels view = views.training(0, sample, picture);
    const auto at = [&](int y, int x, int c) { return static_cast<double>(view[(y * 32 + x) * 3 + c]) / 4; };
    // Output row r looks at the source's top + (r + 1/2) height / 32 - 1/2; rows 4 and 28 see no border.
    const double height = (at(28, 16, 0) - at(4, 16, 0)) * 32 / 24;
    const double width = (at(16, 28, 1) - at(16, 4, 1)) * 32 / 24;
    top_sum += at(16, 16, 0);
    least_area = std::min(least_area, height * width / 4096);
    largest_area = std::max(largest_area, height * width / 4096);
    least_aspect = std::min(least_aspect, width / height);
    largest_aspect = std::max(largest_aspect, width / height);
  }
  EXPECT_NEAR(least_area, 0.25, 0.025);
  EXPECT_NEAR(largest_area, 1, 0.025);
  EXPECT_NEAR(least_aspect, 0.75, 0.025);
  EXPECT_NEAR(largest_aspect, 4.0 / 3, 0.04);
  EXPECT_NEAR(top_sum / samples, 32, 1.5);
}

// With the whole area asked for, only the whole picture fits.
TEST(Augmenter, FallsBackToTheWholePicture) {
  const Pixels picture = gradient_picture();
  const Views views({.random_resized_crop = true, .min_area = 1}, 64, 32);
  EXPECT_EQ(views.training(0, 3, picture), views.evaluation(picture));
}

TEST(Augmenter, CutsOutASquareOfTheMean) {
  const Pixels picture(8 * 8 * 3, 7);
  const Views views({.cutout = 3}, 8, 8);
  std::set<int> areas;
  std::vector<int> covered(64);
  for (std::int64_t sample = 0; sample < 1000; ++sample) {
    const Pixels view = views.training(0, sample, picture);
    std::set<int> rows, columns;
    int area = 0;
    for (int i = 0; i < 64; ++i) {
      if (view[i * 3] == 7) continue;
      EXPECT_EQ(view[i * 3], 64);
      EXPECT_EQ(view[i * 3 + 1], 128);
      EXPECT_EQ(view[i * 3 + 2], 191);
      rows.insert(i / 8);
      columns.insert(i % 8);
      ++area;
      ++covered[i];
    }
    ASSERT_EQ(area, static_cast<int>(rows.size() * columns.size()));
    ASSERT_EQ(*rows.rbegin() - *rows.begin() + 1, static_cast<int>(rows.size()));
    areas.insert(area);
  }
  EXPECT_EQ(areas, (std::set<int>{4, 6, 9}));  // a corner, an edge, inside
  EXPECT_GT(*std::min_element(covered.begin(), covered.end()), 0);
}

TEST(Augmenter, RefusesWhatCannotBe) {
  const auto error_of = [](const AugmentOptions& options) {
    return test::thrown_message<UsageError>([&] { const Augmenter augmenter(options, 8, 8, mean, 0); });
  };
  EXPECT_THAT(error_of({.flip = "vertical"}), HasSubstr("none, random, alternating"));
  EXPECT_THAT(error_of({.crop_padding = 8}), HasSubstr("8 pixels cannot be padded by 8"));
  EXPECT_THAT(error_of({.crop_padding = -1}), HasSubstr("padded by -1"));
  EXPECT_THAT(error_of({.min_area = 0}), HasSubstr("(0, 1]"));
  EXPECT_THAT(error_of({.cutout = 9}), HasSubstr("cutout of 9"));
}

}  // namespace
}  // namespace whorl::train
