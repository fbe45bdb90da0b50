// SPDX-License-Identifier: BSD-3-Clause
#include "jpeg_maker.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

namespace whorl::image {
namespace {

J_COLOR_SPACE input_space(JpegMaker::Colour colour) {
  switch (colour) {
    case JpegMaker::Colour::gray:
      return JCS_GRAYSCALE;
    case JpegMaker::Colour::cmyk:
    case JpegMaker::Colour::ycck:
      return JCS_CMYK;
    default:
      return JCS_RGB;
  }
}

J_COLOR_SPACE stored_space(JpegMaker::Colour colour) {
  switch (colour) {
    case JpegMaker::Colour::rgb:
      return JCS_RGB;
    case JpegMaker::Colour::ycck:
      return JCS_YCCK;
    case JpegMaker::Colour::ycbcr:
      return JCS_YCbCr;
    default:
      return input_space(colour);
  }
}

}  // namespace

int JpegMaker::components() const {
  switch (input_space(colour)) {
    case JCS_GRAYSCALE:
      return 1;
    case JCS_CMYK:
      return 4;
    default:
      return 3;
  }
}

std::vector<std::uint8_t> JpegMaker::make(const std::vector<std::uint8_t>& samples, int height,
                                          int width) const {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);  // exits on error, which fails the test
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long bytes = 0;
  jpeg_mem_dest(&info, &buffer, &bytes);
  info.image_height = static_cast<JDIMENSION>(height);
  info.image_width = static_cast<JDIMENSION>(width);
  info.input_components = components();
  info.in_color_space = input_space(colour);
  jpeg_set_defaults(&info);
  jpeg_set_colorspace(&info, stored_space(colour));
  jpeg_set_quality(&info, quality, TRUE);
  if (components() > 1) {
    info.comp_info[0].h_samp_factor = luma_across;
    info.comp_info[0].v_samp_factor = luma_down;
  }
  if (components() == 4) {  // black is as sharp as luma
    info.comp_info[3].h_samp_factor = luma_across;
    info.comp_info[3].v_samp_factor = luma_down;
  }
  if (progressive) jpeg_simple_progression(&info);
  info.arith_code = arithmetic ? TRUE : FALSE;
  info.restart_in_rows = restart_rows;
  jpeg_start_compress(&info, TRUE);
  if (exif_orientation != 0) {
    const auto segment = exif_segment(exif_orientation, true);
    jpeg_write_marker(&info, JPEG_APP0 + 1, segment.data(), static_cast<unsigned>(segment.size()));
  }
  for (int y = 0; y < height; ++y) {
    auto* row = const_cast<JSAMPLE*>(&samples[std::size_t(y) * width * components()]);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::vector<std::uint8_t> result(buffer, buffer + bytes);
  jpeg_destroy_compress(&info);
  std::free(buffer);
  return result;
}

std::vector<std::uint8_t> JpegMaker::make(const Image& image) const {
  std::vector<std::uint8_t> samples;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    if (components() == 1) {
      samples.push_back(image.pixels[i + 1]);
      continue;
    }
    samples.insert(samples.end(), image.pixels.begin() + i, image.pixels.begin() + i + 3);
    if (components() == 4) samples.push_back(200);
  }
  return make(samples, image.height, image.width);
}

Image test_picture(int height, int width) {
  Image image(height, width);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      std::uint8_t* pixel = image.at(y, x);
      pixel[0] = static_cast<std::uint8_t>(128 + 100 * std::sin(0.31 * x + 0.05 * y));
      pixel[1] = static_cast<std::uint8_t>(x * 255 / width);
      pixel[2] = static_cast<std::uint8_t>((x / 5 + y / 7) % 2 * 120 + y * 100 / height);
    }
  return image;
}

std::vector<std::uint8_t> exif_segment(unsigned orientation, bool little_endian) {
  std::vector<std::uint8_t> bytes{'E', 'x', 'i', 'f', 0, 0};
  const auto put = [&](unsigned value, int count) {
    for (int i = 0; i < count; ++i)
      bytes.push_back(static_cast<std::uint8_t>(value >> 8 * (little_endian ? i : count - 1 - i)));
  };
  put(little_endian ? 0x4949 : 0x4D4D, 2);
  put(42, 2);
  put(8, 4);  // offset of the directory
  put(2, 2);  // entries: XResolution, then Orientation
  put(0x011A, 2), put(5, 2), put(1, 4), put(38, 4);
  put(0x0112, 2), put(3, 2), put(1, 4), put(orientation, 2), put(0, 2);
  put(0, 4);  // no further directory
  return bytes;
}

}  // namespace whorl::image
