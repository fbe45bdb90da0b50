// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "image/image.hpp"
#include "image/resize.hpp"

namespace whorl::image {

/// The bytes are not a picture that can be decoded whole; the message is the reason, mostly in libjpeg's
/// words ("Premature end of JPEG file").
class DecodeError : public Error {
 public:
  using Error::Error;
};

/// Bounds on what one picture may cost, whatever its header claims.
struct DecodeLimits {
  std::int64_t pixels = std::int64_t{1} << 28;          ///< width x height in the header
  std::int64_t memory_bytes = std::int64_t{512} << 20;  ///< of libjpeg's buffers, and of the decoded pixels
  int scans = 200;  ///< of a progressive file; each is a pass over the picture
  std::int64_t scanned_pixels =
      std::int64_t{1} << 31;  ///< scans x pixels of a progressive file: bounds its time to some 20 s
};

/// Size in the header, before EXIF orientation.
struct JpegHeader {
  int height = 0;
  int width = 0;
};
JpegHeader read_jpeg_header(std::span<const std::uint8_t> bytes);

/// Decodes to RGB: grayscale, CMYK and YCCK converted, EXIF orientation applied. Full-size pixels equal
/// Pillow's bit for bit (both use libjpeg's accurate integer DCT and smooth chroma upsampling). Throws
/// DecodeError, also for truncated or corrupt data that libjpeg would paper over with a warning.
/// `smallest_side` > 0 allows DCT scaling by 1/2, 1/4 or 1/8 (the sizes that libjpeg-turbo has fast code for)
/// as long as the shorter side stays >= smallest_side; 0 decodes at full size.
Image decode_jpeg(std::span<const std::uint8_t> bytes, int smallest_side = 0,
                  const DecodeLimits& limits = {});

/// Decodes, resizes the shorter side to `size` and crops the centre: the (size, size, 3) square of ingest,
/// the same pixels and the same errors as resize_and_crop(decode_jpeg(bytes, size), size), but only columns
/// that matter are transformed and filtered. Damage outside the square is found too: all entropy-coded data
/// are read. Keeps its memory from picture to picture, and what the filter needs for the last few sizes of
/// pictures; one thread uses an object at a time.
class SquareDecoder {
 public:
  /// Writes size*size*3 bytes to `out`, none if it throws.
  void decode(std::span<const std::uint8_t> bytes, int size, std::uint8_t* out,
              const DecodeLimits& limits = {});

 private:
  /// From a picture of (height, width) to its square of `size`.
  const Resampler& resampler(int height, int width, int size);

  Image part_;
  Resampler::Scratch scratch_;
  std::map<std::array<int, 3>, Resampler> resamplers_;  // by height, width, size
};

/// The same for a single picture.
void decode_jpeg_square(std::span<const std::uint8_t> bytes, int size, std::uint8_t* out,
                        const DecodeLimits& limits = {});

/// Baseline 4:2:0 JPEG of `quality` 1..100.
std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality);

}  // namespace whorl::image
