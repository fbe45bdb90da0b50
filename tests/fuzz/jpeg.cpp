// SPDX-License-Identifier: BSD-3-Clause
// Header, decoding at every scale, EXIF orientation, resizing; and the two ways to a square must agree.
#include "image/jpeg.hpp"

#include <optional>
#include <vector>

#include "image/resize.hpp"
#include "input.hpp"

namespace {

using namespace whorl;

constexpr int size = 24;
/// As strict as fuzzing in small time wants; ingest's are larger in proportion.
const image::DecodeLimits limits{
    .pixels = 1 << 20, .memory_bytes = 64 << 20, .scans = 20, .scanned_pixels = 1 << 22};

using Pixels = std::optional<std::vector<std::uint8_t>>;

/// The square that `decode` makes; nothing if it refuses.
template <typename Decode>
Pixels square(const Decode& decode) {
  Pixels pixels(std::in_place, std::size_t{size} * size * 3);
  try {
    decode(pixels->data());
  } catch (const Error&) {
    pixels.reset();
  }
  return pixels;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t count) {
  const std::span bytes(data, count);
  fuzz::refuse_or_take([&] { image::read_jpeg_header(bytes); });
  fuzz::refuse_or_take([&] { image::decode_jpeg(bytes, 0, limits); });
  const Pixels cropped = square(
      [&](std::uint8_t* out) { image::resize_and_crop(image::decode_jpeg(bytes, size, limits), size, out); });
  static image::SquareDecoder decoder;  // its memory lasts from picture to picture
  const Pixels direct = square([&](std::uint8_t* out) { decoder.decode(bytes, size, out, limits); });
  fuzz::must_hold(cropped == direct, "decoding a square, and cropping a whole picture to it, agree");
  return 0;
}
