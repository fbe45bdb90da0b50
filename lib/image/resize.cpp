// SPDX-License-Identifier: BSD-3-Clause
#include "image/resize.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/error.hpp"
#include "base/simd.hpp"

// The plain loop, for output pixel (y, x) and channel c:
//   out[y][x][c] = round(sum over j, i of row_weight[y][j] * column_weight[x][i] * source[row_first[y] +
//   j][column_first[x] + i][c])
// is separable. Rows are filtered first, over the needed columns only: that loop runs along contiguous memory
// and vectorises by itself. Four filtered rows (they stay in the L1 cache) are then filtered along x
// together, so that a weight is loaded once for four pixels. Cost per output row: row taps x source columns x
// 3 multiply-adds, then column taps x width x 3. Sums are float: nothing is rounded to 8 bits in between.

namespace whorl::image {
namespace {

constexpr int strip_rows = 4;
/// An RGB pixel among floats as one vector of four; the fourth lane is its neighbour's.
using Pixel = float __attribute__((vector_size(16), aligned(4), may_alias));

/// to[i] (+)= sum over k < Taps of weights[k] * from[k * stride + i]. Vectorised by the compiler within each
/// clone of its caller.
template <int Taps, bool Add>
[[gnu::always_inline]] inline void add_rows(const std::uint8_t* __restrict from, std::ptrdiff_t stride,
                                            const float* weights, int count, float* __restrict to) {
  std::array<float, Taps> w;
  std::copy_n(weights, Taps, w.begin());
  for (int i = 0; i < count; ++i) {
    float sum = Add ? to[i] : 0.0F;
    for (int k = 0; k < Taps; ++k) sum += w[k] * static_cast<float>(from[k * stride + i]);
    to[i] = sum;
  }
}

/// The vertical filter for one output row, several taps at a time so that sums stay in registers.
WHORL_SIMD_CLONES
void filter_rows(const std::uint8_t* from, std::ptrdiff_t stride, const float* weights, int taps, int count,
                 float* to) {
  switch (taps) {
    case 1:
      return add_rows<1, false>(from, stride, weights, count, to);
    case 2:
      return add_rows<2, false>(from, stride, weights, count, to);
    default:
      add_rows<3, false>(from, stride, weights, count, to);
  }
  for (int k = 3; k < taps; ++k) add_rows<1, true>(from + k * stride, stride, weights + k, count, to);
}

/// The horizontal filter over a strip of `strip_rows` filtered rows, `from_stride` floats apart; writes rows
/// of `width` pixels, `to_stride` floats apart. Each pixel is stored with a fourth lane that the next pixel
/// overwrites.
WHORL_SIMD_CLONES
void filter_columns(const float* __restrict strip, std::ptrdiff_t from_stride, const int* first,
                    const float* weights, int taps, int width, float* __restrict to,
                    std::ptrdiff_t to_stride) {
  for (int x = 0; x < width; ++x, weights += taps) {
    const float* from = strip + std::ptrdiff_t{first[x]} * 3;
    Pixel sum[strip_rows] = {};
    for (int k = 0; k < taps; ++k)
      for (int r = 0; r < strip_rows; ++r)
        sum[r] += weights[k] * *reinterpret_cast<const Pixel*>(from + r * from_stride + k * 3);
    for (int r = 0; r < strip_rows; ++r) *reinterpret_cast<Pixel*>(to + r * to_stride + x * 3) = sum[r];
  }
}

/// Weights are positive and sum to 1, so a rounded sum stays within a byte.
WHORL_SIMD_CLONES
void round_to_bytes(const float* __restrict from, int count, std::uint8_t* __restrict to) {
  for (int i = 0; i < count; ++i) to[i] = static_cast<std::uint8_t>(static_cast<int>(from[i] + 0.5F));
}

}  // namespace

Resampler::Axis Resampler::make_axis(int source_size, double start, double length, int size) {
  const double scale = length / size;
  const double support = std::max(scale, 1.0);  // half the base of the triangle
  const auto first_tap = [&](double centre) {
    return std::max(0, static_cast<int>(std::floor(centre - support + 0.5)));
  };
  const auto end_tap = [&](double centre) {
    return std::min(source_size, static_cast<int>(std::floor(centre + support + 0.5)));
  };

  Axis axis;
  for (int i = 0; i < size; ++i) {
    const double centre = start + (i + 0.5) * scale;
    axis.taps = std::max(axis.taps, end_tap(centre) - first_tap(centre));
  }
  axis.first.resize(size);
  axis.weights.resize(std::size_t(size) * axis.taps);
  for (int i = 0; i < size; ++i) {
    const double centre = start + (i + 0.5) * scale;
    const int begin = first_tap(centre), end = end_tap(centre);
    // All outputs get the same number of taps, so a short one begins earlier where it would leave the source;
    // its extra weights are zero.
    axis.first[i] = std::min(begin, source_size - axis.taps);
    const auto triangle = [&](int tap) {
      return std::max(0.0, 1.0 - std::abs((tap + 0.5 - centre) / support));
    };
    double sum = 0;
    for (int tap = begin; tap < end; ++tap) sum += triangle(tap);
    for (int tap = begin; tap < end; ++tap)
      axis.weights[std::size_t(i) * axis.taps + (tap - axis.first[i])] =
          static_cast<float>(triangle(tap) / sum);
  }
  return axis;
}

Resampler::Resampler(int source_height, int source_width, const Window& window, int height, int width)
    : rows_(make_axis(source_height, window.top, window.height, height)),
      columns_(make_axis(source_width, window.left, window.width, width)) {}

Region Resampler::needed() const {
  const auto [top, bottom] = std::minmax_element(rows_.first.begin(), rows_.first.end());
  const auto [left, right] = std::minmax_element(columns_.first.begin(), columns_.first.end());
  return {*top, *left, *bottom + rows_.taps - *top, *right + columns_.taps - *left};
}

void Resampler::run(const Image& part, const Region& part_region, std::uint8_t* out) const {
  const Region wanted = needed();
  const int height = static_cast<int>(rows_.first.size()), width = static_cast<int>(columns_.first.size());
  // One float more than the pixels: the fourth lane of the last one.
  const std::ptrdiff_t strip_stride = wanted.width * 3 + 1, filtered_stride = width * 3 + 1;
  std::vector<float> strip(strip_rows * strip_stride), filtered(strip_rows * filtered_stride);
  std::vector<int> first(columns_.first);
  for (int& x : first) x -= wanted.left;

  for (int y = 0; y < height; y += strip_rows) {
    const int rows = std::min(strip_rows, height - y);
    for (int r = 0; r < rows; ++r)
      filter_rows(part.at(rows_.first[y + r] - part_region.top, wanted.left - part_region.left),
                  std::ptrdiff_t{part.width} * 3, &rows_.weights[std::size_t(y + r) * rows_.taps], rows_.taps,
                  wanted.width * 3, &strip[r * strip_stride]);
    filter_columns(strip.data(), strip_stride, first.data(), columns_.weights.data(), columns_.taps, width,
                   filtered.data(), filtered_stride);
    for (int r = 0; r < rows; ++r)
      round_to_bytes(&filtered[r * filtered_stride], width * 3, out + std::size_t(y + r) * width * 3);
  }
}

void resize(const Image& source, const Window& window, int height, int width, std::uint8_t* out) {
  require(source.height > 0 && source.width > 0 && height > 0 && width > 0,
          "cannot resize a picture of {} x {} to {} x {}", source.width, source.height, width, height);
  Resampler(source.height, source.width, window, height, width)
      .run(source, {0, 0, source.height, source.width}, out);
}

Window centre_crop_window(int height, int width, int size) {
  const int shorter = std::min(height, width), longer = std::max(height, width);
  const int resized_longer = static_cast<int>(std::int64_t{size} * longer / shorter);
  const double along = double(longer) / resized_longer;  // source pixels per resized pixel
  const double offset =
      std::nearbyint((resized_longer - size) / 2.0) * along;  // halves to even, as Python rounds
  if (height <= width) return {0, offset, double(height), size * along};
  return {offset, 0, size * along, double(width)};
}

void resize_and_crop(const Image& source, int size, std::uint8_t* out) {
  resize(source, centre_crop_window(source.height, source.width, size), size, size, out);
}

}  // namespace whorl::image
