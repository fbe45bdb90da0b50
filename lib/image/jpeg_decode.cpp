// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "image/jpeg.hpp"
#include "image/libjpeg.hpp"
#include "image/orientation.hpp"
#include "image/resize.hpp"

namespace whorl::image {
namespace {

constexpr int exif_marker = JPEG_APP0 + 1;

/// libjpeg calls `check` before each row of blocks of a scan: the only chance to stop a file of many scans,
/// which it reads as a whole.
struct ScanLimit : jpeg_progress_mgr {
  int scans = 0;

  static void check(j_common_ptr info) {
    const int limit = static_cast<ScanLimit*>(info->progress)->scans;
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= limit) return;
    auto* errors = static_cast<LibjpegErrors*>(info->err);
    std::snprintf(errors->message, sizeof errors->message, "more than %d scans for a picture of this size",
                  limit);
    errors->give_up();
  }
};

/// CMYK is stored inverted, as Adobe does it and every reader assumes: C' = 255 - C. Then R = (255 - C)(255 -
/// K) / 255, rounded as Pillow rounds it.
void cmyk_to_rgb(const std::uint8_t* from, int count, std::uint8_t* rgb) {
  const auto by_255 = [](int product) { return ((product + 128) + ((product + 128) >> 8)) >> 8; };
  for (int x = 0; x < count; ++x, from += 4, rgb += 3)
    for (int c = 0; c < 3; ++c)
      rgb[c] = static_cast<std::uint8_t>(from[3] - by_255((255 - from[c]) * from[3]));
}

/// One picture being decoded, in the order: constructor (reads the header), start, read.
class Decompressor {
 public:
  Decompressor(std::span<const std::uint8_t> bytes, const DecodeLimits& limits);
  ~Decompressor() { jpeg_destroy_decompress(&info_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  JpegHeader header() const { return {int(info_.image_height), int(info_.image_width)}; }
  Orientation orientation() const;

  /// Chooses the DCT scale and starts; height() and width() then are those of the stored (not turned)
  /// picture.
  void start(int smallest_side);
  int height() const { return int(info_.output_height); }
  int width() const { return int(info_.output_width); }
  /// Reads the whole file and checks that it ends as it should; `image` gets the pixels of `region`, which is
  /// widened to what was kept.
  void read(Region& region, Image& image);

 private:
  explicit Decompressor(const DecodeLimits& limits);
  template <typename Body>
  void guard(const Body& body) {
    guard_libjpeg<DecodeError>(errors_, body);
  }
  void skip_columns(Region& region);

  jpeg_decompress_struct info_{};
  LibjpegErrors errors_;
  ScanLimit progress_;
  DecodeLimits limits_;
};

Decompressor::Decompressor(const DecodeLimits& limits) : limits_(limits) {
  info_.err = errors_.install();
  guard([&] { jpeg_create_decompress(&info_); });
}

// Delegating makes the object whole before the file can throw, so that the destructor releases libjpeg's
// memory.
Decompressor::Decompressor(std::span<const std::uint8_t> bytes, const DecodeLimits& limits)
    : Decompressor(limits) {
  guard([&] {
    info_.mem->max_memory_to_use = static_cast<long>(limits_.memory_bytes);
    jpeg_mem_src(&info_, bytes.data(), bytes.size());
    jpeg_save_markers(&info_, exif_marker, 0xFFFF);
    jpeg_read_header(&info_, TRUE);
  });
  const std::int64_t pixels = std::int64_t{info_.image_width} * info_.image_height;
  if (pixels > limits_.pixels)
    throw DecodeError("{} x {} pixels, above the limit of {}", info_.image_width, info_.image_height,
                      limits_.pixels);
  progress_.progress_monitor = ScanLimit::check;
  progress_.scans = static_cast<int>(std::min<std::int64_t>(limits_.scans, limits_.scanned_pixels / pixels));
  info_.progress = &progress_;
}

Orientation Decompressor::orientation() const {
  for (const auto* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
    const std::span<const std::uint8_t> segment(marker->data, marker->data_length);
    if (is_exif(segment)) return Orientation::from_exif(segment);
  }
  return {};
}

void Decompressor::start(int smallest_side) {
  const unsigned shorter = std::min(info_.image_width, info_.image_height);
  info_.scale_num = 1;
  info_.scale_denom = 1;
  for (const unsigned reduction : {2U, 4U, 8U})
    if (smallest_side > 0 && (shorter + reduction - 1) / reduction >= unsigned(smallest_side))
      info_.scale_denom = reduction;
  // libjpeg converts grayscale, YCbCr and RGB to RGB, but YCCK only to CMYK.
  info_.out_color_space = info_.num_components == 4 ? JCS_CMYK : JCS_RGB;
  guard([&] { jpeg_start_decompress(&info_); });
}

void Decompressor::read(Region& region, Image& image) {
  skip_columns(region);
  if (std::int64_t{region.height} * region.width * 3 > limits_.memory_bytes)
    throw DecodeError("{} x {} decoded pixels need more memory than the limit of {} bytes", region.width,
                      region.height, limits_.memory_bytes);
  image.reshape(region.height, region.width);
  std::vector<std::uint8_t> row(std::size_t(region.width) * info_.output_components);
  guard([&] {
    for (int y = 0; y < height(); ++y) {
      const bool wanted = y >= region.top && y < region.top + region.height;
      const bool in_place = wanted && info_.out_color_space == JCS_RGB;
      JSAMPROW to = in_place ? image.at(y - region.top, 0) : row.data();
      jpeg_read_scanlines(&info_, &to, 1);
      if (wanted && !in_place) cmyk_to_rgb(row.data(), region.width, image.at(y - region.top, 0));
    }
    jpeg_finish_decompress(&info_);
  });
}

/// Tells libjpeg which columns are not wanted. Chroma upsampling looks at the neighbours, so two more chroma
/// samples are asked for on either side: without them the pixels at the border would differ from those of a
/// whole decode. Files of several scans are left whole, because the smoothing of unfinished progressive
/// pictures looks further.
void Decompressor::skip_columns(Region& region) {
  JDIMENSION first = 0, count = info_.output_width;
  if (!jpeg_has_multiple_scans(&info_)) {
    const int margin = info_.max_h_samp_factor == 1 ? 0 : 2 * info_.max_h_samp_factor;
    const int left = std::max(0, region.left - margin);
    const int right = std::min(width(), region.left + region.width + margin);
    first = static_cast<JDIMENSION>(left);
    count = static_cast<JDIMENSION>(right - left);
    guard([&] { jpeg_crop_scanline(&info_, &first, &count); });  // moves `first` to a block's border
  }
  region.left = int(first);
  region.width = int(count);
}

}  // namespace

JpegHeader read_jpeg_header(std::span<const std::uint8_t> bytes) {
  return Decompressor(bytes, {}).header();
}

Image decode_jpeg(std::span<const std::uint8_t> bytes, int smallest_side, const DecodeLimits& limits) {
  Decompressor decompressor(bytes, limits);
  decompressor.start(smallest_side);
  const Orientation orientation = decompressor.orientation();
  Region whole{0, 0, decompressor.height(), decompressor.width()};
  Image image;
  decompressor.read(whole, image);
  return orientation.apply(std::move(image));
}

void SquareDecoder::decode(std::span<const std::uint8_t> bytes, int size, std::uint8_t* out,
                           const DecodeLimits& limits) {
  Decompressor decompressor(bytes, limits);
  decompressor.start(size);
  const Orientation orientation = decompressor.orientation();
  int height = decompressor.height(), width = decompressor.width();
  if (orientation.swaps_sides()) std::swap(height, width);
  const Resampler& filter = resampler(height, width, size);
  Region region = orientation.to_stored(filter.needed(), height, width);
  decompressor.read(region, part_);
  part_ = orientation.apply(std::move(part_));
  filter.run(part_, orientation.to_upright(region, height, width), scratch_, out);
}

const Resampler& SquareDecoder::resampler(int height, int width, int size) {
  constexpr std::size_t most = 64;  // cameras and web sites make few sizes
  const std::array key{height, width, size};
  if (const auto known = resamplers_.find(key); known != resamplers_.end()) return known->second;
  if (resamplers_.size() == most) resamplers_.clear();
  const Window window = centre_crop_window(height, width, size);
  return resamplers_.try_emplace(key, height, width, window, size, size).first->second;
}

void decode_jpeg_square(std::span<const std::uint8_t> bytes, int size, std::uint8_t* out,
                        const DecodeLimits& limits) {
  SquareDecoder().decode(bytes, size, out, limits);
}

}  // namespace whorl::image
