// SPDX-License-Identifier: BSD-3-Clause
#include "image/resize.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "base/error.hpp"

namespace whorl::image {
namespace {

Image noise(int height, int width) {
  Image image(height, width);
  std::mt19937 random(static_cast<unsigned>(height * 1000 + width));
  for (auto& value : image.pixels) value = static_cast<std::uint8_t>(random());
  return image;
}

/// The weight of source pixel `tap` in output pixel `i`, not normalised: a triangle around the output's
/// centre.
double weight(int tap, int i, double start, double scale) {
  const double centre = start + (i + 0.5) * scale, support = std::max(1.0, scale);
  return std::max(0.0, 1.0 - std::abs(tap + 0.5 - centre) / support);
}

/// How far a value may be from the exact one: rounding to whole grey levels, and what the 16-bit sums lose
/// before that, t/256 of a level for t taps at worst, which errors of both signs keep well below the 1/20
/// allowed here. Pillow itself is off by up to 1.
constexpr double tolerance = 0.5 + 0.05;

/// The definition: for every output value a double sum over the whole source.
std::vector<double> resize_plainly(const Image& source, const Window& window, int height, int width) {
  std::vector<double> out;
  const double down = window.height / height, across = window.width / width;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      std::array<double, 3> sum{};
      double weights = 0;
      for (int j = 0; j < source.height; ++j)
        for (int i = 0; i < source.width; ++i) {
          const double w = weight(j, y, window.top, down) * weight(i, x, window.left, across);
          weights += w;
          for (int c = 0; c < 3; ++c) sum[c] += w * source.at(j, i)[c];
        }
      for (const double value : sum) out.push_back(value / weights);
    }
  return out;
}

void expect_rounded(const std::vector<std::uint8_t>& actual, const std::vector<double>& exact) {
  ASSERT_EQ(actual.size(), exact.size());
  for (std::size_t i = 0; i < exact.size(); ++i)
    ASSERT_LE(std::abs(actual[i] - exact[i]), tolerance)
        << "value " << i << " is " << int(actual[i]) << ", exactly " << exact[i];
}

TEST(Resize, IsTheRoundedPlainSum) {
  struct Case {
    int source_height, source_width, height, width;
    Window window;
  };
  const Case cases[] = {
      {17, 23, 6, 5, {0, 0, 17, 23}},            // reduction
      {17, 23, 7, 9, {2.25, 3.5, 11.5, 14.75}},  // of a window with fractions
      {5, 4, 13, 11, {0, 0, 5, 4}},              // enlargement
      {40, 6, 7, 12, {10, 1, 20, 4}},            // both at once
      {1, 1, 3, 2, {0, 0, 1, 1}},                // one pixel
      {1, 31, 4, 4, {0, 10, 1, 11}},             // one row
      {31, 1, 4, 4, {13, 0, 5, 1}},              // one column
      {64, 64, 1, 1, {0, 0, 64, 64}},            // everything into one
      {9, 9, 9, 9, {0, 0, 9, 9}},                // nothing to do
      {33, 70, 8, 35, {0, 0, 33, 70}},           // more columns than a vector has lanes
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << c.source_height << "x" << c.source_width << " to " << c.height << "x"
                                    << c.width);
    const Image source = noise(c.source_height, c.source_width);
    std::vector<std::uint8_t> out(std::size_t(c.height) * c.width * 3);
    resize(source, c.window, c.height, c.width, out.data());
    expect_rounded(out, resize_plainly(source, c.window, c.height, c.width));
  }
}

TEST(Resize, KeepsPlainColoursExactly) {
  for (const int value : {0, 1, 127, 128, 254, 255}) {
    Image source(90, 130);
    std::fill(source.pixels.begin(), source.pixels.end(), static_cast<std::uint8_t>(value));
    for (const int size : {1, 3, 40, 77, 200}) {
      std::vector<std::uint8_t> out(std::size_t(size) * size * 3);
      resize(source, {1.5, 7.25, 80, 100}, size, size, out.data());
      EXPECT_EQ(std::count(out.begin(), out.end(), value), std::ssize(out)) << value << " at " << size;
    }
  }
}

TEST(Resize, CopiesWhenNothingChanges) {
  const Image source = noise(11, 19);
  std::vector<std::uint8_t> out(source.pixels.size());
  resize(source, {0, 0, 11, 19}, 11, 19, out.data());
  EXPECT_EQ(out, source.pixels);
}

/// Pillow 13.0.0: a = ((x*37 + y*91 + c*53 + x*y*7) % 256) as uint8 (11, 14, 3);
/// Image.fromarray(a).resize((5, 4), Image.BILINEAR, box=(1.5, 0.25, 13, 10)).
TEST(Resize, IsWithinOneOfPillow) {
  Image source(11, 14);
  for (int y = 0; y < 11; ++y)
    for (int x = 0; x < 14; ++x)
      for (int c = 0; c < 3; ++c)
        source.at(y, x)[c] = static_cast<std::uint8_t>(x * 37 + y * 91 + c * 53 + x * y * 7);
  constexpr std::array<int, 60> pillow{
      125, 133, 137, 122, 133, 139, 119, 129, 139, 125, 125, 133, 120, 141, 117, 135, 134, 132, 147, 137,
      126, 133, 131, 120, 127, 133, 126, 132, 139, 138, 119, 136, 124, 134, 124, 121, 136, 131, 122, 134,
      120, 117, 132, 104, 141, 151, 116, 144, 122, 136, 118, 126, 122, 141, 120, 139, 131, 133, 106, 153};
  std::vector<std::uint8_t> out(60);
  resize(source, {0.25, 1.5, 9.75, 11.5}, 4, 5, out.data());
  for (std::size_t i = 0; i < out.size(); ++i)
    EXPECT_LE(std::abs(int(out[i]) - pillow[i]), 1) << "value " << i;
}

TEST(Resize, RejectsEmptyPictures) {
  std::vector<std::uint8_t> out(12);
  EXPECT_THROW(resize(Image(), {0, 0, 0, 0}, 2, 2, out.data()), Error);
}

TEST(CentreCropWindow, IsTorchvisions) {
  // 320 x 240 at 192: resized to 256 x 192, cropped at 32, that is 40 source pixels.
  const Window landscape = centre_crop_window(240, 320, 192);
  EXPECT_DOUBLE_EQ(landscape.top, 0);
  EXPECT_DOUBLE_EQ(landscape.left, 40);
  EXPECT_DOUBLE_EQ(landscape.height, 240);
  EXPECT_DOUBLE_EQ(landscape.width, 240);
  const Window portrait = centre_crop_window(320, 240, 192);
  EXPECT_DOUBLE_EQ(portrait.top, 40);
  EXPECT_DOUBLE_EQ(portrait.left, 0);
  // 100 x 67 at 50: the longer side is 74.6, truncated to 74; then a pixel of the result is 100/74 of the
  // source.
  EXPECT_DOUBLE_EQ(centre_crop_window(67, 100, 50).left, 12 * 100.0 / 74);
  // Offsets of 0.5, 1.5 and 2.5 pixels go to the even side.
  EXPECT_DOUBLE_EQ(centre_crop_window(10, 11, 10).left, 0);
  EXPECT_DOUBLE_EQ(centre_crop_window(10, 13, 10).left, 2);
  EXPECT_DOUBLE_EQ(centre_crop_window(10, 15, 10).left, 2);
}

TEST(Resampler, NeedsOnlyTheWindowAndItsFilter) {
  const Resampler resampler(100, 200, {0, 50, 100, 100}, 50, 50);
  EXPECT_EQ(resampler.needed(),
            (Region{0, 49, 100, 102}));  // half a filter (2 pixels) around centres from 51 to 149
}

TEST(Resampler, TakesAPartForTheWhole) {
  const Image source = noise(40, 90);
  const Resampler resampler(40, 90, {3, 30.5, 31, 31}, 12, 12);
  const Region needed = resampler.needed();
  Image part(needed.height, needed.width);
  for (int y = 0; y < part.height; ++y)
    std::copy_n(source.at(needed.top + y, needed.left), std::size_t(part.width) * 3, part.at(y, 0));
  std::vector<std::uint8_t> from_whole(12 * 12 * 3), from_part(from_whole.size());
  Resampler::Scratch scratch;
  resampler.run(source, {0, 0, 40, 90}, scratch, from_whole.data());
  resampler.run(part, needed, scratch, from_part.data());
  EXPECT_EQ(from_part, from_whole);
}

}  // namespace
}  // namespace whorl::image
