// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/winograd/convolution.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "nn/cpu/winograd/gemm.hpp"

namespace whorl::nn::cpu::winograd {

namespace {

/// Floats between rows of points, and between points: without them, strides that are powers of two would fall
/// on few cache sets.
constexpr std::size_t gap = 16;
/// Points beyond this do not stay in the second cache level between two passes over them, so they are worth a
/// prefetch.
constexpr std::size_t large_bytes = 600 << 10;

int round_up(int value, int unit) {
  return (value + unit - 1) / unit * unit;
}

/// Matrices of one row per tile, point after point.
struct Points {
  float* data = nullptr;
  std::size_t row = 0, point = 0;

  Points(float* first, int tiles, int channels)
      : data(first), row(channels + gap), point(tiles * row + gap) {}
  float* at(int p) const { return data + p * point; }
  std::size_t bytes_of_point() const { return point * sizeof(float); }
  ConstMatrix matrix(int p) const { return {at(p), row}; }
  PointBlock block(int tile, int channel) const { return {data + tile * row + channel, point, row}; }
  static std::size_t floats(int points, int tiles, int channels) {
    return points * (tiles * (channels + gap) + gap);
  }
};

}  // namespace

/// Places of one pass in the memory that all steps share.
struct Convolution::Scratch {
  float *input_planes, *output_planes, *input_gradient_planes;
  float *input_points, *output_points, *input_gradient_points, *filter_gradient_points;
  std::size_t bytes;

  Scratch(const Convolution& c, const Tiling& tiling, std::byte* memory) {
    std::size_t used = 0;
    const auto take = [&](std::size_t floats) {
      float* place = reinterpret_cast<float*>(memory) + used;
      used += (floats + gap - 1) / gap * gap;
      return place;
    };
    const int tiles = tiling.largest_run(c.wished_tiles(tiling)), points = tiling.points();
    input_planes = take(tiling.padded_plane * c.inputs_);
    input_gradient_planes = take(tiling.padded_plane * c.inputs_);
    output_planes = take(tiling.output_plane * c.filters_count_);
    input_points = take(Points::floats(points, tiles, c.inputs_));
    output_points = take(Points::floats(points, tiles, c.filters_count_));
    input_gradient_points = take(Points::floats(points, tiles, c.inputs_));
    filter_gradient_points = take(points * c.filter_gradient_point());
    bytes = used * sizeof(float);
  }
};

bool Convolution::takes(const ConvolutionShape& shape) {
  return shape.kernel_height == 3 && shape.kernel_width == 3 && shape.stride == 1 && shape.padding == 1 &&
         !shape.bias;
}

Convolution::Convolution(const ConvolutionShape& shape, TileSizes tiles, int used_height, int used_width)
    : shape_(shape),
      forward_(shape, tiles.forward, used_height, used_width),
      backward_(shape, tiles.backward, used_height, used_width),
      inputs_(round_up(shape.inputs, shape.block)),
      filters_count_(round_up(shape.filters, shape.block)),
      filters_(std::size_t(forward_.points()) * shape.inputs * filters_count_ * sizeof(float)),
      adjoint_filters_(std::size_t(backward_.points()) * shape.filters * inputs_ * sizeof(float)) {}

std::size_t Convolution::scratch_bytes() const {
  return std::max(Scratch(*this, forward_, nullptr).bytes, Scratch(*this, backward_, nullptr).bytes);
}

/// Floats from one point of dU to the next.
std::size_t Convolution::filter_gradient_point() const {
  return std::size_t(shape_.inputs) * filters_count_ + gap;
}

/// The more bytes of filters pass by for every run of tiles, the larger the runs.
int Convolution::wished_tiles(const Tiling& tiling) const {
  const std::size_t filter_bytes =
      std::size_t(tiling.points()) * shape_.inputs * filters_count_ * sizeof(float);
  return filter_bytes <= (4 << 20) ? 64 : 128;
}

void Convolution::set_weights(const float* weights) {
  const int block = shape_.block, panel = panel_columns();
  const std::size_t channel_floats = 9, filter_floats = channel_floats * shape_.inputs;
  std::vector<float> by_filter(9 * block * block), by_channel(9 * block * block);
  for (int k0 = 0; k0 < shape_.filters; k0 += block)
    for (int c0 = 0; c0 < shape_.inputs; c0 += block) {
      const int filters = std::min(block, shape_.filters - k0),
                channels = std::min(block, shape_.inputs - c0);
      for (int k = 0; k < filters; ++k)
        for (int c = 0; c < channels; ++c)
          for (int tap = 0; tap < 9; ++tap) {
            const float value = weights[(k0 + k) * filter_floats + (c0 + c) * channel_floats + tap];
            by_filter[(c * 9 + tap) * block + k] = value;
            by_channel[(k * 9 + tap) * block + c] = value;
          }
      for (int rest = filters; rest < block; ++rest)
        for (int i = 0; i < 9 * block; ++i) by_filter[i * block + rest] = 0;
      for (int rest = channels; rest < block; ++rest)
        for (int i = 0; i < 9 * block; ++i) by_channel[i * block + rest] = 0;
      const int k_panel = k0 / panel * panel, k_width = std::min(panel, filters_count_ - k_panel);
      filter_to_points(forward_.m, block, channels, by_filter.data(),
                       filters_.floats() + std::size_t(k_panel) * shape_.inputs + std::size_t(c0) * k_width +
                           (k0 - k_panel),
                       std::size_t(shape_.inputs) * filters_count_, k_width);
      const int c_panel = c0 / panel * panel, c_width = std::min(panel, inputs_ - c_panel);
      filter_to_points(backward_.m, block, filters, by_channel.data(),
                       adjoint_filters_.floats() + std::size_t(c_panel) * shape_.filters +
                           std::size_t(k0) * c_width + (c0 - c_panel),
                       std::size_t(shape_.filters) * inputs_, c_width);
    }
}

void Convolution::transform_input(const Tiling& tiling, const Run& run, const ReadPlane& read,
                                  const Scratch& scratch) const {
  const Points points(scratch.input_points, run.tiles, inputs_);
  for (int n = 0; n < run.sheets; ++n)
    for (int c = 0; c < inputs_; c += shape_.block) {
      float* sheet = scratch.input_planes + c * tiling.padded_plane;
      if (run.first_row == 0)
        tiling.for_each_input(run.first_sheet + n, sheet,
                              [&](int image, const Plane& plane) { read(image, c / shape_.block, plane); });
      input_to_points(tiling.input_rows(run), sheet, points.block(n * run.tiles_per_sheet(), c));
    }
}

/// M of `filters` filters, which lie in whole panels.
void Convolution::multiply_filters(const Run& run, int first_filter, int filters,
                                   const Scratch& scratch) const {
  const Points in(scratch.input_points, run.tiles, inputs_), out(scratch.output_points, run.tiles, filters);
  const std::size_t filter_point = std::size_t(shape_.inputs) * filters_count_;
  const std::size_t slice_bytes = std::size_t(shape_.inputs) * filters * sizeof(float);
  const float* u = filters_.floats() + std::size_t(first_filter) * shape_.inputs;
  const int points = forward_.points();
  const bool large_in = points * in.bytes_of_point() > large_bytes,
             large_out = points * out.bytes_of_point() > large_bytes;
  PrefetchQueue prefetch;
  for (int p = 0; p < points; ++p, u += filter_point) {
    prefetch.clear();
    if (p + 1 < points) {
      prefetch.add(u + filter_point, slice_bytes);
      if (large_in) prefetch.add(in.at(p + 1), in.bytes_of_point());
      if (large_out) prefetch.add(out.at(p + 1), out.bytes_of_point());
    } else if (first_filter + filters < filters_count_) {
      prefetch.add(filters_.floats() + std::size_t(first_filter + filters) * shape_.inputs, slice_bytes);
    }
    multiply_by_panels({run.tiles, filters, shape_.inputs}, in.matrix(p), u, out.at(p), out.row, false,
                       prefetch);
  }
}

void Convolution::forward(const ReadPlane& read, const WritePlane& write, std::byte* memory) const {
  constexpr int filters_at_a_time = 64;  // so their points stay in cache
  const Tiling& tiling = forward_;
  const Scratch scratch(*this, tiling, memory);
  std::memset(scratch.input_planes, 0, tiling.padded_plane * inputs_ * sizeof(float));
  tiling.for_each_run(wished_tiles(tiling), [&](const Run& run) {
    transform_input(tiling, run, read, scratch);
    for (int k0 = 0; k0 < filters_count_; k0 += filters_at_a_time) {
      const int filters = std::min(filters_at_a_time, filters_count_ - k0);
      multiply_filters(run, k0, filters, scratch);
      const Points out(scratch.output_points, run.tiles, filters);
      for (int n = 0; n < run.sheets; ++n)
        for (int k = 0; k < filters; k += shape_.block) {
          float* sheet = scratch.output_planes + (k0 + k) * tiling.output_plane;
          points_to_output(tiling.output_rows(run), out.block(n * run.tiles_per_sheet(), k), sheet);
          if (run.last_row == tiling.down)
            tiling.for_each_output(run.first_sheet + n, sheet, [&](int image, const Plane& plane) {
              write(image, (k0 + k) / shape_.block, plane);
            });
        }
    }
  });
}

void Convolution::transform_output_gradient(const Run& run, const ReadPlane& read,
                                            const Scratch& scratch) const {
  const Points points(scratch.output_points, run.tiles, filters_count_);
  for (int n = 0; n < run.sheets; ++n)
    for (int k = 0; k < filters_count_; k += shape_.block) {
      const std::size_t sheet_floats = backward_.output_plane * shape_.block;
      float* sheet = scratch.output_planes + k * backward_.output_plane;
      if (run.first_row == 0) {
        if (!backward_.is_whole(run.first_sheet + n)) std::fill_n(sheet, sheet_floats, 0.0F);
        backward_.for_each_output(run.first_sheet + n, sheet, [&](int image, const Plane& plane) {
          read(image, k / shape_.block, plane);
        });
      }
      output_gradient_to_points(backward_.output_rows(run), sheet,
                                points.block(n * run.tiles_per_sheet(), k));
    }
}

void Convolution::add_input_gradient(const Run& run, const WritePlane& write, const Scratch& scratch) const {
  const Points points(scratch.input_gradient_points, run.tiles, inputs_);
  for (int n = 0; n < run.sheets; ++n)
    for (int c = 0; c < inputs_; c += shape_.block) {
      float* sheet = scratch.input_gradient_planes + c * backward_.padded_plane;
      if (run.first_row == 0) std::memset(sheet, 0, backward_.padded_plane * shape_.block * sizeof(float));
      add_points_to_input_gradient(backward_.input_rows(run), points.block(n * run.tiles_per_sheet(), c),
                                   sheet);
      if (run.last_row == backward_.down)
        backward_.for_each_input(run.first_sheet + n, sheet, [&](int image, const Plane& plane) {
          write(image, c / shape_.block, plane);
        });
    }
}

void Convolution::backward(const ReadPlane& read, const ReadPlane& read_output_gradient,
                           const WritePlane& write_input_gradient, float* weight_gradient,
                           std::byte* memory) const {
  const Tiling& tiling = backward_;
  const Scratch scratch(*this, tiling, memory);
  const int points = tiling.points();
  const std::size_t filter_point = filter_gradient_point();
  const std::size_t adjoint_point = std::size_t(shape_.filters) * inputs_;
  PrefetchQueue prefetch;
  std::memset(scratch.input_planes, 0, tiling.padded_plane * inputs_ * sizeof(float));
  std::memset(scratch.output_planes, 0, tiling.output_plane * filters_count_ * sizeof(float));
  bool first = true;
  tiling.for_each_run(wished_tiles(tiling), [&](const Run& run) {
    if (weight_gradient != nullptr) transform_input(tiling, run, read, scratch);
    transform_output_gradient(run, read_output_gradient, scratch);
    const Points in(scratch.input_points, run.tiles, inputs_),
        out(scratch.output_points, run.tiles, filters_count_),
        in_gradient(scratch.input_gradient_points, run.tiles, inputs_);
    const bool large_in = points * in.bytes_of_point() > large_bytes,
               large_out = points * out.bytes_of_point() > large_bytes;
    for (int p = 0; p < points; ++p) {
      float* du = scratch.filter_gradient_points + p * filter_point;
      const float* u = adjoint_filters_.floats() + p * adjoint_point;
      if (weight_gradient != nullptr) {
        prefetch.clear();
        if (write_input_gradient) prefetch.add(u, adjoint_point * sizeof(float));
        multiply_transposed({shape_.inputs, filters_count_, run.tiles}, in.matrix(p), out.matrix(p), du,
                            filters_count_, !first, prefetch);
      }
      if (!write_input_gradient) continue;
      prefetch.clear();
      if (p + 1 < points) {
        if (large_in) prefetch.add(in_gradient.at(p + 1), in.bytes_of_point());
        if (weight_gradient != nullptr) prefetch.add(du + filter_point, filter_point * sizeof(float));
        if (large_in) prefetch.add(in.at(p + 1), in.bytes_of_point());
        if (large_out) prefetch.add(out.at(p + 1), out.bytes_of_point());
      }
      multiply_by_panels({run.tiles, inputs_, shape_.filters}, out.matrix(p), u, in_gradient.at(p),
                         in_gradient.row, false, prefetch);
    }
    first = false;
    if (write_input_gradient) add_input_gradient(run, write_input_gradient, scratch);
  });
  if (weight_gradient != nullptr) add_weight_gradient(scratch.filter_gradient_points, weight_gradient);
}

void Convolution::add_weight_gradient(const float* points, float* gradient) const {
  const int block = shape_.block;
  std::vector<float> taps(9 * block * block);
  for (int k0 = 0; k0 < shape_.filters; k0 += block)
    for (int c0 = 0; c0 < shape_.inputs; c0 += block) {
      const int filters = std::min(block, shape_.filters - k0),
                channels = std::min(block, shape_.inputs - c0);
      points_to_filter_gradient(backward_.m, block, channels, points + std::size_t(c0) * filters_count_ + k0,
                                filter_gradient_point(), filters_count_, taps.data());
      for (int k = 0; k < filters; ++k) {
        float* to = gradient + ((k0 + k) * std::size_t(shape_.inputs) + c0) * 9;
        for (int i = 0; i < channels * 9; ++i) to[i] += taps[i * block + k];
      }
    }
}

}  // namespace whorl::nn::cpu::winograd
