// SPDX-License-Identifier: BSD-3-Clause
#include "image/resize.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "base/error.hpp"
#include "base/simd.hpp"

// The plain loop, for output pixel (y, x) and channel c:
//   out[y][x][c] = round(sum over j, i of row_weight[y][j] * column_weight[x][i] * source[row_first[y] +
//   j][column_first[x] + i][c])
// is separable. Rows are filtered first, over the needed columns only: that loop runs along contiguous
// memory. Four filtered rows are then interleaved (they stay in the L1 cache) and filtered along x together:
// a vector holds the red, green and blue of one pixel in four rows. Cost per output row: row taps x source
// columns x 3 multiply-adds, then column taps x width x 4.
//
// Arithmetic is in 16-bit integers, which vectors hold twice as many of as floats, and which round alike on
// every machine: samples have 7 bits below the point, weights 15. Each product is rounded to 1/128 of a grey
// level, so that a sum of t taps is within t/256 of the exact one (in fact far closer, as the errors have
// either sign).

namespace whorl::image {
namespace {

constexpr int strip_rows = 4;
constexpr int pixel_lanes =
    4 * strip_rows;  // three channels; the fourth is the next pixel's red, and overwritten by it
constexpr int sample_bits = 7, weight_bits = 15;

using Fixed = std::int16_t;

/// sample * weight, rounded: one instruction (pmulhrsw) where there is one.
[[gnu::always_inline]] inline Fixed scale(Fixed sample, Fixed weight) {
  return static_cast<Fixed>(((std::int32_t{sample} * weight >> (weight_bits - 1)) + 1) >> 1);
}

/// to[i] (+)= sum over k < Taps of weights[k] * from[k * stride + i]. Inlined, so that the compiler
/// vectorises it for each clone of the caller.
template <int Taps, bool Add>
[[gnu::always_inline]] inline void add_taps(const Fixed* __restrict from, std::ptrdiff_t stride,
                                            const Fixed* __restrict weights, int count,
                                            Fixed* __restrict to) {
  for (int i = 0; i < count; ++i) {
    Fixed sum = Add ? to[i] : Fixed{0};
    for (int k = 0; k < Taps; ++k) sum = static_cast<Fixed>(sum + scale(from[k * stride + i], weights[k]));
    to[i] = sum;
  }
}

/// The same for `taps` >= First taps.
template <int First>
[[gnu::always_inline]] inline void sum_taps(const Fixed* __restrict from, std::ptrdiff_t stride,
                                            const Fixed* __restrict weights, int taps, int count,
                                            Fixed* __restrict to) {
  add_taps<First, false>(from, stride, weights, count, to);
  for (int k = First; k < taps; ++k) add_taps<1, true>(from + k * stride, stride, weights + k, count, to);
}

/// Calls `filter` with as many taps as it should take in one go: up to four, as any reduction by less than
/// two has.
template <typename Filter>
[[gnu::always_inline]] inline void with_taps(int taps, const Filter& filter) {
  switch (taps) {
    case 1:
      return filter.template operator()<1>();
    case 2:
      return filter.template operator()<2>();
    case 3:
      return filter.template operator()<3>();
    default:
      return filter.template operator()<4>();
  }
}

WHORL_SIMD_CLONES
void to_fixed_point(const std::uint8_t* __restrict from, int count, Fixed* __restrict to) {
  for (int i = 0; i < count; ++i) to[i] = static_cast<Fixed>(from[i] << sample_bits);
}

/// The vertical filter for one output row.
WHORL_SIMD_CLONES
void filter_rows(const Fixed* __restrict from, const Fixed* __restrict weights, int taps, int count,
                 Fixed* __restrict to) {
  with_taps(
      taps, [=]<int First>()
                __attribute__((always_inline)) { sum_taps<First>(from, count, weights, taps, count, to); });
}

/// to[strip_rows * i + r] = from[r * count + i]
WHORL_SIMD_CLONES
void interleave(const Fixed* __restrict from, int count, Fixed* __restrict to) {
  for (int i = 0; i < count; ++i)
    for (int r = 0; r < strip_rows; ++r) to[strip_rows * i + r] = from[r * count + i];
}

/// The horizontal filter over interleaved rows.
WHORL_SIMD_CLONES
void filter_columns(const Fixed* __restrict strip, const int* __restrict first,
                    const Fixed* __restrict weights, int taps, int width, Fixed* __restrict to) {
  constexpr int pixel = 3 * strip_rows;
  with_taps(
      taps, [=]<int First>() __attribute__((always_inline)) {
        for (int x = 0; x < width; ++x)
          sum_taps<First>(strip + std::ptrdiff_t{first[x]} * pixel, pixel, weights + std::ptrdiff_t{x} * taps,
                          taps, pixel_lanes, to + std::ptrdiff_t{x} * pixel);
      });
}

/// to[r * count + i] = from[strip_rows * i + r], rounded. Weights are positive and sum to 1, so the sums stay
/// within a byte.
WHORL_SIMD_CLONES
void separate(const Fixed* __restrict from, int count, std::uint8_t* __restrict to) {
  for (int i = 0; i < count; ++i)
    for (int r = 0; r < strip_rows; ++r)
      to[r * count + i] =
          static_cast<std::uint8_t>((from[strip_rows * i + r] + (1 << (sample_bits - 1))) >> sample_bits);
}

/// Below -1/2 only towards zero. (std::lround is a function call.)
int nearest(double value) {
  constexpr double half = 0.5;
  return static_cast<int>(value + half);
}

/// Weights that sum to 1 as fixed-point numbers that sum to 1; the largest takes the rounding errors of all.
void to_fixed(std::span<const double> weights, double sum, Fixed* fixed) {
  constexpr int one = 1 << weight_bits;
  const double to_one = one / sum;
  int rest = one;
  std::size_t largest = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    fixed[k] = static_cast<Fixed>(std::min(nearest(weights[k] * to_one), one - 1));
    rest -= fixed[k];
    if (weights[k] > weights[largest]) largest = k;
  }
  fixed[largest] = static_cast<Fixed>(
      std::min(fixed[largest] + rest, one - 1));  // 1 itself does not fit: a sample loses 1/128 at most
}

}  // namespace

Resampler::Axis Resampler::make_axis(int source_size, double start, double length, int size) {
  const double scale = length / size;
  const double support = std::max(scale, 1.0), slope = 1 / support;  // half the base of the triangle
  const auto first_tap = [&](double centre) { return std::max(0, nearest(centre - support)); };
  const auto end_tap = [&](double centre) { return std::min(source_size, nearest(centre + support)); };

  Axis axis;
  for (int i = 0; i < size; ++i) {
    const double centre = start + (i + 0.5) * scale;
    axis.taps = std::max(axis.taps, end_tap(centre) - first_tap(centre));
  }
  axis.first.resize(size);
  axis.weights.resize(std::size_t(size) * axis.taps);
  std::vector<double> weights(axis.taps);
  for (int i = 0; i < size; ++i) {
    const double centre = start + (i + 0.5) * scale;
    const int begin = first_tap(centre), end = end_tap(centre);
    // All outputs get the same number of taps, so a short one begins earlier where it would leave the source;
    // its extra weights are zero.
    axis.first[i] = std::min(begin, source_size - axis.taps);
    const auto triangle = [&](int tap) { return std::max(0.0, 1.0 - std::abs(tap + 0.5 - centre) * slope); };
    double sum = 0;
    std::fill(weights.begin(), weights.end(), 0);
    for (int tap = begin; tap < end; ++tap) sum += weights[tap - axis.first[i]] = triangle(tap);
    to_fixed(weights, sum, &axis.weights[std::size_t(i) * axis.taps]);
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

void Resampler::run(const Image& part, const Region& part_region, Scratch& scratch, std::uint8_t* out) const {
  const Region wanted = needed();
  const int height = static_cast<int>(rows_.first.size()), width = static_cast<int>(columns_.first.size());
  const int from_count = wanted.width * 3, to_count = width * 3;
  scratch.rows.resize(strip_rows * from_count);
  // Interleaved rows have room for the fourth channel of their last pixel.
  scratch.strip.resize(strip_rows * (from_count + 1));
  scratch.filtered.resize(strip_rows * (to_count + 1));
  scratch.bytes.resize(strip_rows * to_count);
  scratch.first = columns_.first;
  for (int& x : scratch.first) x -= wanted.left;

  for (int top = 0; top < height; top += strip_rows) {
    const int bottom = std::min(top + strip_rows, height);
    const int begin = rows_.first[top], end = rows_.first[bottom - 1] + rows_.taps;
    scratch.source.resize(std::size_t(end - begin) * from_count);
    for (int y = begin; y < end; ++y)
      to_fixed_point(part.at(y - part_region.top, wanted.left - part_region.left), from_count,
                     &scratch.source[std::size_t(y - begin) * from_count]);
    for (int y = top; y < bottom; ++y)
      filter_rows(&scratch.source[std::size_t(rows_.first[y] - begin) * from_count],
                  &rows_.weights[std::size_t(y) * rows_.taps], rows_.taps, from_count,
                  &scratch.rows[(y - top) * from_count]);
    interleave(scratch.rows.data(), from_count, scratch.strip.data());
    filter_columns(scratch.strip.data(), scratch.first.data(), columns_.weights.data(), columns_.taps, width,
                   scratch.filtered.data());
    separate(scratch.filtered.data(), to_count, scratch.bytes.data());
    std::copy_n(scratch.bytes.data(), std::size_t(bottom - top) * to_count,
                out + std::size_t(top) * to_count);
  }
}

void resize(const Image& source, const Window& window, int height, int width, std::uint8_t* out) {
  require(source.height > 0 && source.width > 0 && height > 0 && width > 0,
          "cannot resize a picture of {} x {} to {} x {}", source.width, source.height, width, height);
  Resampler::Scratch scratch;
  Resampler(source.height, source.width, window, height, width)
      .run(source, {0, 0, source.height, source.width}, scratch, out);
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
