// SPDX-License-Identifier: BSD-3-Clause
#include "image/jpeg.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "image/resize.hpp"
#include "jpeg_maker.hpp"
#include "support/thrown_message.hpp"

namespace whorl::image {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Colour = JpegMaker::Colour;

struct Square {
  Bytes pixels;
  std::string error;
  bool operator==(const Square&) const = default;
};

Square square(const Bytes& jpeg, int size, const DecodeLimits& limits = {}) {
  Square result{Bytes(std::size_t(size) * size * 3), ""};
  try {
    decode_jpeg_square(jpeg, size, result.pixels.data(), limits);
  } catch (const DecodeError& error) {
    result = {{}, error.what()};
  }
  return result;
}

/// What decode_jpeg_square must agree with.
Square square_by_parts(const Bytes& jpeg, int size, const DecodeLimits& limits = {}) {
  Square result{Bytes(std::size_t(size) * size * 3), ""};
  try {
    resize_and_crop(decode_jpeg(jpeg, size, limits), size, result.pixels.data());
  } catch (const DecodeError& error) {
    result = {{}, error.what()};
  }
  return result;
}

std::string decode_error(const Bytes& jpeg, const DecodeLimits& limits = {}) {
  return test::thrown_message<DecodeError>([&] { decode_jpeg(jpeg, 0, limits); });
}

double mean_difference(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(int(a.pixels[i]) - int(b.pixels[i]));
  return sum / double(a.pixels.size());
}

/// Writes another size into the frame header (SOF0 to SOF2): marker, length, precision, height, width.
Bytes with_claimed_size(Bytes jpeg, int height, int width) {
  for (std::size_t i = 2; i + 9 < jpeg.size(); ++i)
    if (jpeg[i] == 0xFF && jpeg[i + 1] >= 0xC0 && jpeg[i + 1] <= 0xC2) {
      jpeg[i + 5] = static_cast<std::uint8_t>(height >> 8);
      jpeg[i + 6] = static_cast<std::uint8_t>(height);
      jpeg[i + 7] = static_cast<std::uint8_t>(width >> 8);
      jpeg[i + 8] = static_cast<std::uint8_t>(width);
      return jpeg;
    }
  ADD_FAILURE() << "no frame header";
  return jpeg;
}

/// Every kind of file that the decoder treats differently.
std::vector<std::pair<std::string, JpegMaker>> kinds() {
  return {{"4:2:0", {}},
          {"4:2:2", {.luma_down = 1}},
          {"4:4:0", {.luma_across = 1}},
          {"4:4:4", {.luma_across = 1, .luma_down = 1}},
          {"4:1:1", {.luma_across = 4, .luma_down = 1}},
          {"gray", {.colour = Colour::gray}},
          {"rgb", {.colour = Colour::rgb, .luma_across = 1, .luma_down = 1}},
          {"cmyk", {.colour = Colour::cmyk, .luma_across = 1, .luma_down = 1}},
          {"ycck", {.colour = Colour::ycck}},
          {"progressive", {.progressive = true}},
          {"arithmetic", {.arithmetic = true}},
          {"restarts", {.restart_rows = 1}},
          {"turned", {.exif_orientation = 6}},
          {"mirrored", {.luma_down = 1, .exif_orientation = 2}},
          {"turned progressive", {.progressive = true, .exif_orientation = 7}}};
}

TEST(DecodeJpeg, ReturnsWhatWasEncoded) {
  const Image original = test_picture(61, 83);
  const Image decoded = decode_jpeg(JpegMaker{.luma_across = 1, .luma_down = 1}.make(original));
  ASSERT_EQ(decoded.height, 61);
  ASSERT_EQ(decoded.width, 83);
  EXPECT_LT(mean_difference(original, decoded), 1);
}

TEST(EncodeJpeg, IsBaselineOfTheQualityAskedFor) {
  const Image original = test_picture(61, 83);
  EXPECT_EQ(encode_jpeg(original, 95), JpegMaker{.quality = 95}.make(original));
  EXPECT_EQ(encode_jpeg(original, 50), JpegMaker{.quality = 50}.make(original));
  EXPECT_THROW(encode_jpeg(Image(), 90), Error);
  EXPECT_THROW(encode_jpeg(Image(1, 70000), 90), Error);  // beyond JPEG's own limit: libjpeg's error
}

TEST(ReadJpegHeader, GivesTheStoredSize) {
  const JpegHeader header = read_jpeg_header(JpegMaker{.exif_orientation = 6}.make(test_picture(20, 50)));
  EXPECT_EQ(header.height, 20);
  EXPECT_EQ(header.width, 50);
}

/// Whole blocks of one colour survive JPEG exactly at quality 100.
TEST(DecodeJpeg, ConvertsGrayAndCmykAsPillowDoes) {
  const Bytes gray(16 * 16, 77);
  const Image from_gray = decode_jpeg(JpegMaker{.colour = Colour::gray}.make(gray, 16, 16));
  EXPECT_EQ(from_gray.pixels, Bytes(16 * 16 * 3, 77));

  // Stored inverted: (40, 120, 200, 180) is C 215, M 135, Y 55, K 75. Pillow 13: Image.new("CMYK", (1, 1),
  // (215, 135, 55, 75)).convert("RGB")
  Bytes cmyk;
  for (int i = 0; i < 16 * 16; ++i) cmyk.insert(cmyk.end(), {40, 120, 200, 180});
  const Image from_cmyk =
      decode_jpeg(JpegMaker{.colour = Colour::cmyk, .luma_across = 1, .luma_down = 1}.make(cmyk, 16, 16));
  const Image from_ycck = decode_jpeg(JpegMaker{.colour = Colour::ycck}.make(cmyk, 16, 16));
  const std::array<int, 3> pillow{28, 85, 141};
  for (int c = 0; c < 3; ++c) {
    EXPECT_EQ(int(from_cmyk.at(15, 15)[c]), pillow[c]);
    EXPECT_NEAR(int(from_ycck.at(0, 0)[c]), pillow[c], 1);  // through YCbCr and back
  }
}

TEST(DecodeJpeg, HonoursOrientation) {
  const Image picture = test_picture(24, 40);
  const Image stored = decode_jpeg(JpegMaker{}.make(picture));
  const Image turned = decode_jpeg(JpegMaker{.exif_orientation = 6}.make(picture));
  ASSERT_EQ(turned.height, 40);
  ASSERT_EQ(turned.width, 24);
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 24; ++x)
      for (int c = 0; c < 3; ++c) ASSERT_EQ(turned.at(y, x)[c], stored.at(23 - x, y)[c]);  // clockwise
}

TEST(DecodeJpeg, ScalesByPowersOfTwoDownToTheSideAskedFor) {
  const Bytes jpeg = JpegMaker{}.make(test_picture(150, 203));
  const auto sides = [&](int smallest_side) {
    const Image image = decode_jpeg(jpeg, smallest_side);
    return std::pair(image.height, image.width);
  };
  EXPECT_EQ(sides(0), std::pair(150, 203));
  EXPECT_EQ(sides(151), std::pair(150, 203));
  EXPECT_EQ(sides(76), std::pair(150, 203));
  EXPECT_EQ(sides(75), std::pair(75, 102));
  EXPECT_EQ(sides(38), std::pair(38, 51));
  EXPECT_EQ(sides(1), std::pair(19, 26));
}

TEST(DecodeJpegSquare, EqualsDecodeThenResize) {
  for (const auto& [name, maker] : kinds())
    for (const auto& [height, width] :
         {std::pair(50, 120), std::pair(117, 45), std::pair(64, 64), std::pair(9, 200), std::pair(1, 33),
          std::pair(70, 2), std::pair(1, 1), std::pair(260, 400)})
      for (const int size : {1, 16, 45, 130}) {
        const Bytes jpeg = maker.make(test_picture(height, width));
        const Square expected = square_by_parts(jpeg, size);
        ASSERT_EQ(expected.error, "") << name;
        ASSERT_EQ(square(jpeg, size), expected) << name << ", " << height << " x " << width << " to " << size;
      }
}

/// No prefix of a file may pass for the picture: not in the header, not in the middle, not without its last
/// byte.
TEST(DecodeJpeg, RejectsEveryTruncation) {
  for (const auto& [name, maker] : kinds()) {
    const Bytes whole = maker.make(test_picture(20, 45));
    ASSERT_EQ(square(whole, 16).error, "") << name;
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const Bytes part(whole.begin(), whole.begin() + length);
      const std::string error = decode_error(part);
      ASSERT_NE(error, "nothing was thrown") << name << ", " << length << " of " << whole.size() << " bytes";
      ASSERT_EQ(square(part, 16).error, error)
          << name << ", " << length << " of " << whole.size() << " bytes";
    }
  }
}

/// Any byte may be wrong: both ways of decoding then agree on the pixels or on the error, and nothing
/// crashes.
TEST(DecodeJpegSquare, AgreesOnDamagedFiles) {
  int rejected = 0, files = 0;
  for (const auto& [name, maker] : kinds()) {
    const Bytes whole = maker.make(test_picture(40, 90));
    for (std::size_t i = 0; i < whole.size(); i += 7) {
      Bytes damaged = whole;
      damaged[i] ^= 0x5A;
      const DecodeLimits limits{.pixels = 1 << 20};
      const Square expected = square_by_parts(damaged, 16, limits);
      ASSERT_EQ(square(damaged, 16, limits), expected) << name << ", byte " << i;
      rejected += expected.error.empty() ? 0 : 1;
      ++files;
    }
  }
  EXPECT_GT(rejected, files / 20);
}

TEST(DecodeJpeg, AcceptsBytesBetweenSegments) {
  Bytes jpeg = JpegMaker{}.make(test_picture(16, 16));
  const Image expected = decode_jpeg(jpeg);
  const std::uint8_t stray[] = {1, 2, 3};
  jpeg.insert(jpeg.begin() + 2, std::begin(stray), std::end(stray));
  EXPECT_EQ(decode_jpeg(jpeg).pixels, expected.pixels);
  jpeg.insert(jpeg.end(), std::begin(stray), std::end(stray));
  EXPECT_EQ(decode_jpeg(jpeg).pixels, expected.pixels);
}

TEST(DecodeJpeg, NamesWhatIsNotAJpeg) {
  EXPECT_EQ(decode_error({}), "Empty input file");
  EXPECT_EQ(decode_error({0x89, 'P', 'N', 'G'}), "Not a JPEG file: starts with 0x89 0x50");
}

TEST(DecodeLimits, BoundThePixelsOfTheHeader) {
  const Bytes jpeg = JpegMaker{}.make(test_picture(16, 16));
  EXPECT_EQ(decode_error(with_claimed_size(jpeg, 20000, 20000)),
            "20000 x 20000 pixels, above the limit of 268435456");
  EXPECT_EQ(square(with_claimed_size(jpeg, 20000, 20000), 8).error,
            "20000 x 20000 pixels, above the limit of 268435456");
  EXPECT_EQ(decode_error(jpeg, {.pixels = 255}), "16 x 16 pixels, above the limit of 255");
  EXPECT_EQ(decode_error(jpeg, {.pixels = 256}), "nothing was thrown");
}

TEST(DecodeLimits, BoundMemory) {
  const Image picture = test_picture(300, 400);
  const DecodeLimits tight{.memory_bytes = 200'000};
  EXPECT_EQ(decode_error(JpegMaker{}.make(picture), tight),
            "400 x 300 decoded pixels need more memory than the limit of 200000 bytes");
  EXPECT_EQ(decode_error(JpegMaker{.progressive = true}.make(picture), tight), "Backing store not supported");
  EXPECT_EQ(square(JpegMaker{}.make(picture), 64, tight).error, "");  // needs a quarter of the pixels only
}

TEST(DecodeLimits, BoundScans) {
  const Bytes jpeg =
      JpegMaker{.progressive = true}.make(test_picture(40, 50));  // libjpeg's script has 10 scans
  EXPECT_EQ(decode_error(jpeg, {.scans = 10}), "nothing was thrown");
  EXPECT_EQ(decode_error(jpeg, {.scans = 9}), "more than 9 scans for a picture of this size");
  EXPECT_EQ(decode_error(jpeg, {.scanned_pixels = 40 * 50 * 10}), "nothing was thrown");
  EXPECT_EQ(decode_error(jpeg, {.scanned_pixels = 40 * 50 * 4}),
            "more than 4 scans for a picture of this size");
}

}  // namespace
}  // namespace whorl::image
