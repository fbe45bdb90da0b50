// SPDX-License-Identifier: BSD-3-Clause
#include <cstdlib>

#include "base/error.hpp"
#include "image/jpeg.hpp"
#include "image/libjpeg.hpp"

namespace whorl::image {
namespace {

/// jpeg_compress_struct and its growing output buffer, released together.
struct Compressor {
  jpeg_compress_struct info{};
  LibjpegErrors errors;
  unsigned char* buffer = nullptr;
  unsigned long bytes = 0;

  Compressor() {
    info.err = errors.install();
    guard_libjpeg<Error>(errors, [&] { jpeg_create_compress(&info); });
  }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  ~Compressor() {
    jpeg_destroy_compress(&info);
    std::free(buffer);  // jpeg_mem_dest allocates with malloc
  }
};

}  // namespace

std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality) {
  require(image.height > 0 && image.width > 0, "cannot write an empty picture as JPEG");
  Compressor compressor;
  guard_libjpeg<Error>(compressor.errors, [&] {
    jpeg_compress_struct& info = compressor.info;
    jpeg_mem_dest(&info, &compressor.buffer, &compressor.bytes);
    info.image_width = static_cast<JDIMENSION>(image.width);
    info.image_height = static_cast<JDIMENSION>(image.height);
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    jpeg_start_compress(&info, TRUE);
    for (int y = 0; y < image.height; ++y) {
      auto* row = const_cast<JSAMPLE*>(image.at(y, 0));  // libjpeg does not write to it
      jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
  });
  return {compressor.buffer, compressor.buffer + compressor.bytes};
}

}  // namespace whorl::image
