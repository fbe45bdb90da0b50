// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/winograd/convolution.hpp"

#include <algorithm>
#include <cstring>

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
int divide_up(int value, int unit) {
  return (value + unit - 1) / unit;
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

  Scratch(const Convolution& c, std::byte* memory) {
    std::size_t used = 0;
    const auto take = [&](std::size_t floats) {
      float* place = reinterpret_cast<float*>(memory) + used;
      used += (floats + gap - 1) / gap * gap;
      return place;
    };
    const int tiles = std::max(c.largest_run(c.forward_.tiles), c.largest_run(c.backward_.tiles));
    input_planes = take(c.padded_plane_ * c.inputs_);
    input_gradient_planes = take(c.padded_plane_ * c.inputs_);
    output_planes = take(c.output_plane_ * c.filters_count_);
    input_points = take(Points::floats(c.points_, tiles, c.inputs_));
    output_points = take(Points::floats(c.points_, tiles, c.filters_count_));
    input_gradient_points = take(Points::floats(c.points_, tiles, c.inputs_));
    filter_gradient_points = take(std::size_t(c.points_) * c.shape_.inputs * c.filters_count_);
    bytes = used * sizeof(float);
  }
};

bool Convolution::takes(const ConvolutionShape& shape) {
  return shape.kernel_height == 3 && shape.kernel_width == 3 && shape.stride == 1 && shape.padding == 1 &&
         !shape.bias;
}

int Convolution::products(int m, int height, int width) {
  return divide_up(height, m) * divide_up(width, m) * (m + 2) * (m + 2);
}

int Convolution::best_tile(int height, int width) {
  return products(3, height, width) < products(4, height, width) ? 3 : 4;
}

Convolution::Convolution(const ConvolutionShape& shape, int m, int used_height, int used_width)
    : shape_(shape),
      m_(m),
      points_((m + 2) * (m + 2)),
      inputs_(round_up(shape.inputs, shape.block)),
      filters_count_(round_up(shape.filters, shape.block)),
      tiles_down_(divide_up(used_height, m)),
      tiles_across_(divide_up(used_width, m)),
      padded_row_(tiles_across_ * m + 2),
      output_row_(tiles_across_ * m),
      output_plane_(output_row_ * tiles_down_ * m) {
  // A pooling may leave out so much that whole tiles end before the input does.
  padded_row_ = std::max<std::size_t>(padded_row_, shape.input_width + 2);
  padded_plane_ = padded_row_ * std::max(tiles_down_ * m + 2, shape.input_height + 2);
  const std::size_t filter_bytes = std::size_t(points_) * shape.inputs * filters_count_ * sizeof(float);
  forward_.tiles = backward_.tiles = filter_bytes <= (700 << 10) ? 32 : filter_bytes <= (3 << 20) ? 64 : 128;
  filters_ = HugeBuffer(filter_bytes);
  adjoint_filters_ = HugeBuffer(std::size_t(points_) * shape.filters * inputs_ * sizeof(float));
}

std::size_t Convolution::scratch_bytes() const {
  return Scratch(*this, nullptr).bytes;
}

TileRows Convolution::tile_rows(int first, int last, std::size_t row_pixels) const {
  return {.m = m_,
          .block = shape_.block,
          .tiles_across = tiles_across_,
          .first = first,
          .last = last,
          .row_pixels = row_pixels};
}

int Convolution::largest_run(int wished_tiles) const {
  int most = 0;
  for_each_run(wished_tiles, [&](const Run& run) { most = std::max(most, run.tiles); });
  return most;
}

/// Runs of about equal size.
template <typename Work>
void Convolution::for_each_run(int wished_tiles, const Work& work) const {
  const int row_runs = divide_up(tiles_per_image(), wished_tiles),
            rows = divide_up(tiles_down_, std::min(row_runs, tiles_down_));
  const int image_runs = divide_up(shape_.images, std::max(1, wished_tiles / tiles_per_image()));
  const int images = divide_up(shape_.images, image_runs);
  for (int image = 0; image < shape_.images; image += images)
    for (int row = 0; row < tiles_down_; row += rows) {
      Run run{image, std::min(images, shape_.images - image), row, std::min(row + rows, tiles_down_), 0};
      run.tiles = run.images * (run.last_row - run.first_row) * tiles_across_;
      work(run);
    }
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
      filter_to_points(m_, block, channels, by_filter.data(),
                       filters_.floats() + std::size_t(k_panel) * shape_.inputs + std::size_t(c0) * k_width +
                           (k0 - k_panel),
                       std::size_t(shape_.inputs) * filters_count_, k_width);
      const int c_panel = c0 / panel * panel, c_width = std::min(panel, inputs_ - c_panel);
      filter_to_points(m_, block, filters, by_channel.data(),
                       adjoint_filters_.floats() + std::size_t(c_panel) * shape_.filters +
                           std::size_t(k0) * c_width + (c0 - c_panel),
                       std::size_t(shape_.filters) * inputs_, c_width);
    }
}

void Convolution::transform_input(const Run& run, const ReadPlane& read, const Scratch& scratch) const {
  const int block = shape_.block, tiles = run.tiles / run.images;
  const Points points(scratch.input_points, run.tiles, inputs_);
  for (int n = 0; n < run.images; ++n)
    for (int c = 0; c < inputs_; c += block) {
      float* plane = scratch.input_planes + c * padded_plane_;
      if (run.first_row == 0)
        read(run.first_image + n, c / block,
             {plane + (padded_row_ + 1) * block, static_cast<int>(padded_row_)});
      input_to_points(tile_rows(run.first_row, run.last_row, padded_row_), plane, points.block(n * tiles, c));
    }
}

void Convolution::forward(const ReadPlane& read, const WritePlane& write, std::byte* memory) const {
  const Scratch scratch(*this, memory);
  const int block = shape_.block;
  const std::size_t filter_point = std::size_t(shape_.inputs) * filters_count_;
  PrefetchQueue prefetch;
  std::memset(scratch.input_planes, 0, padded_plane_ * inputs_ * sizeof(float));
  for_each_run(forward_.tiles, [&](const Run& run) {
    transform_input(run, read, scratch);
    const Points in(scratch.input_points, run.tiles, inputs_);
    const int tiles = run.tiles / run.images;
    for (int k0 = 0; k0 < filters_count_; k0 += forward_.filters) {
      const int filters = std::min(forward_.filters, filters_count_ - k0);
      const Points out(scratch.output_points, run.tiles, filters);
      const std::size_t slice = std::size_t(shape_.inputs) * filters;
      for (int p = 0; p < points_; ++p) {
        const float* u = filters_.floats() + p * filter_point + std::size_t(k0) * shape_.inputs;
        prefetch.clear();
        if (p + 1 < points_) {
          prefetch.add(u + filter_point, slice * sizeof(float));
          if (points_ * in.bytes_of_point() > large_bytes) prefetch.add(in.at(p + 1), in.bytes_of_point());
          if (points_ * out.bytes_of_point() > large_bytes) prefetch.add(out.at(p + 1), out.bytes_of_point());
        } else if (k0 + filters < filters_count_) {
          prefetch.add(filters_.floats() + std::size_t(k0 + filters) * shape_.inputs, slice * sizeof(float));
        }
        multiply_by_panels({run.tiles, filters, shape_.inputs}, in.matrix(p), u, out.at(p), out.row, false,
                           prefetch);
      }
      for (int n = 0; n < run.images; ++n)
        for (int k = 0; k < filters; k += block) {
          float* plane = scratch.output_planes + (k0 + k) * output_plane_;
          points_to_output(tile_rows(run.first_row, run.last_row, output_row_), out.block(n * tiles, k),
                           plane);
          if (run.last_row == tiles_down_)
            write(run.first_image + n, (k0 + k) / block, {plane, static_cast<int>(output_row_)});
        }
    }
  });
}

void Convolution::transform_output_gradient(const Run& run, const ReadPlane& read,
                                            const Scratch& scratch) const {
  const int block = shape_.block, tiles = run.tiles / run.images;
  const Points points(scratch.output_points, run.tiles, filters_count_);
  for (int n = 0; n < run.images; ++n)
    for (int k = 0; k < filters_count_; k += block) {
      float* plane = scratch.output_planes + k * output_plane_;
      if (run.first_row == 0) read(run.first_image + n, k / block, {plane, static_cast<int>(output_row_)});
      output_gradient_to_points(tile_rows(run.first_row, run.last_row, output_row_), plane,
                                points.block(n * tiles, k));
    }
}

void Convolution::add_input_gradient(const Run& run, const WritePlane& write, const Scratch& scratch) const {
  const int block = shape_.block, tiles = run.tiles / run.images;
  const Points points(scratch.input_gradient_points, run.tiles, inputs_);
  for (int n = 0; n < run.images; ++n)
    for (int c = 0; c < inputs_; c += block) {
      float* plane = scratch.input_gradient_planes + c * padded_plane_;
      if (run.first_row == 0) std::memset(plane, 0, padded_plane_ * block * sizeof(float));
      add_points_to_input_gradient(tile_rows(run.first_row, run.last_row, padded_row_),
                                   points.block(n * tiles, c), plane);
      if (run.last_row == tiles_down_)
        write(run.first_image + n, c / block,
              {plane + (padded_row_ + 1) * block, static_cast<int>(padded_row_)});
    }
}

void Convolution::backward(const ReadPlane& read, const ReadPlane& read_output_gradient,
                           const WritePlane& write_input_gradient, float* weight_gradient,
                           std::byte* memory) const {
  const Scratch scratch(*this, memory);
  const std::size_t filter_point = std::size_t(shape_.inputs) * filters_count_;
  const std::size_t adjoint_point = std::size_t(shape_.filters) * inputs_;
  PrefetchQueue prefetch;
  std::memset(scratch.input_planes, 0, padded_plane_ * inputs_ * sizeof(float));
  std::memset(scratch.output_planes, 0, output_plane_ * filters_count_ * sizeof(float));
  bool first = true;
  for_each_run(backward_.tiles, [&](const Run& run) {
    if (weight_gradient != nullptr) transform_input(run, read, scratch);
    transform_output_gradient(run, read_output_gradient, scratch);
    const Points in(scratch.input_points, run.tiles, inputs_),
        out(scratch.output_points, run.tiles, filters_count_),
        in_gradient(scratch.input_gradient_points, run.tiles, inputs_);
    const bool large_in = points_ * in.bytes_of_point() > large_bytes,
               large_out = points_ * out.bytes_of_point() > large_bytes;
    for (int p = 0; p < points_; ++p) {
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
      if (p + 1 < points_) {
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
      points_to_filter_gradient(m_, block, channels, points + std::size_t(c0) * filters_count_ + k0,
                                std::size_t(shape_.inputs) * filters_count_, filters_count_, taps.data());
      for (int k = 0; k < filters; ++k) {
        float* to = gradient + ((k0 + k) * std::size_t(shape_.inputs) + c0) * 9;
        for (int i = 0; i < channels * 9; ++i) to[i] += taps[i * block + k];
      }
    }
}

}  // namespace whorl::nn::cpu::winograd
