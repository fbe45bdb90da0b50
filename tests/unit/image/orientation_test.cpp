// SPDX-License-Identifier: BSD-3-Clause
#include "image/orientation.hpp"

#include <gtest/gtest.h>

#include <string>

#include "jpeg_maker.hpp"

namespace whorl::image {
namespace {

/// Pictures of letters: each letter is a pixel whose red value it is.
Image picture(const std::vector<std::string>& rows) {
  Image image(int(rows.size()), int(rows[0].size()));
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) image.at(y, x)[0] = static_cast<std::uint8_t>(rows[y][x]);
  return image;
}

std::vector<std::string> letters(const Image& image) {
  std::vector<std::string> rows(image.height);
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) rows[y] += static_cast<char>(image.at(y, x)[0]);
  return rows;
}

using Rows = std::vector<std::string>;

/// CIPA DC-008: what "the 0th row is the visual ... side, the 0th column the visual ... side" means for "abc
/// / def".
TEST(Orientation, TurnsAsExifDefines) {
  const Rows upright[9] = {{},
                           {"abc", "def"},
                           {"cba", "fed"},
                           {"fed", "cba"},
                           {"def", "abc"},
                           {"ad", "be", "cf"},
                           {"da", "eb", "fc"},
                           {"fc", "eb", "da"},
                           {"cf", "be", "ad"}};
  for (unsigned value = 1; value <= 8; ++value)
    EXPECT_EQ(letters(Orientation(value).apply(picture({"abc", "def"}))), upright[value])
        << "orientation " << value;
}

TEST(Orientation, MapsRegionsAsPictures) {
  const Image stored = picture({"abcde", "fghij", "klmno", "pqrst"});
  for (unsigned value = 1; value <= 8; ++value) {
    SCOPED_TRACE(value);
    const Orientation orientation(value);
    const Image upright = orientation.apply(stored);
    const Region wanted{1, 0, 2, 3};
    const Region there = orientation.to_stored(wanted, upright.height, upright.width);
    EXPECT_EQ(orientation.to_upright(there, upright.height, upright.width), wanted);
    Image part(there.height, there.width);
    for (int y = 0; y < part.height; ++y)
      for (int x = 0; x < part.width; ++x) part.at(y, x)[0] = stored.at(there.top + y, there.left + x)[0];
    Rows expected;
    for (int y = 0; y < wanted.height; ++y)
      expected.push_back(letters(upright)[wanted.top + y].substr(wanted.left, wanted.width));
    EXPECT_EQ(letters(orientation.apply(part)), expected);
  }
}

/// Which of the eight `segment` asks for.
unsigned parsed(const std::vector<std::uint8_t>& segment) {
  const Rows turned = letters(Orientation::from_exif(segment).apply(picture({"abc", "def"})));
  for (unsigned value = 1; value <= 8; ++value)
    if (letters(Orientation(value).apply(picture({"abc", "def"}))) == turned) return value;
  return 0;
}

TEST(Exif, IsReadInBothByteOrders) {
  for (unsigned value = 1; value <= 8; ++value) {
    EXPECT_EQ(parsed(exif_segment(value, true)), value);
    EXPECT_EQ(parsed(exif_segment(value, false)), value);
  }
}

TEST(Exif, TakesNonsenseAsUpright) {
  for (const unsigned value : {0U, 9U, 0x0601U, 65535U})
    EXPECT_EQ(parsed(exif_segment(value, true)), 1U) << value;
  auto wrong_order = exif_segment(6, true);
  wrong_order[6] = 'X';
  EXPECT_EQ(parsed(wrong_order), 1U);
  auto wrong_magic = exif_segment(6, true);
  wrong_magic[8] = 43;
  EXPECT_EQ(parsed(wrong_magic), 1U);
  auto wrong_type = exif_segment(6, true);
  wrong_type[30] = 2;  // ASCII
  EXPECT_EQ(parsed(wrong_type), 1U);
}

TEST(Exif, AcceptsALongAsOthersDo) {
  auto segment = exif_segment(6, true);
  segment[30] = 4;
  EXPECT_EQ(parsed(segment), 6U);
}

/// Copies of exactly the given length, so that a sanitizer sees any read beyond it.
TEST(Exif, StopsAtTheEndOfTheSegment) {
  const auto whole = exif_segment(6, false);
  const std::size_t value_end = 6 + 8 + 2 + 12 + 10;
  for (std::size_t length = 6; length < whole.size(); ++length) {
    const std::vector<std::uint8_t> part(whole.begin(), whole.begin() + length);
    EXPECT_EQ(parsed(part), length < value_end ? 1U : 6U) << "length " << length;
  }
  for (const unsigned offset : {0x7FU, 0xFFU}) {
    auto far = whole;
    std::fill_n(far.begin() + 10, 4, static_cast<std::uint8_t>(offset));
    EXPECT_EQ(parsed(far), 1U);
  }
  auto many = whole;
  many[14] = many[15] = 0xFF;  // 65535 entries; the tag is still the second
  EXPECT_EQ(parsed(many), 6U);
}

TEST(Exif, IsToldFromXmp) {
  const std::string xmp = "http://ns.adobe.com/xap/1.0/";
  EXPECT_FALSE(is_exif(std::vector<std::uint8_t>(xmp.begin(), xmp.end())));
  EXPECT_FALSE(is_exif(std::vector<std::uint8_t>{'E', 'x', 'i', 'f', 0}));
  EXPECT_TRUE(is_exif(exif_segment(1, true)));
}

}  // namespace
}  // namespace whorl::image
