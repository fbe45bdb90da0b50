// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/algorithm_choice.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>

#include "nn/cpu/blocked_tensor.hpp"
#include "nn/cpu/pointwise.hpp"
#include "nn/cpu/winograd/convolution.hpp"

namespace whorl::nn::cpu {

namespace {

/// The better of two runs, after one that warms up.
double seconds_of(const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < 3; ++run) {
    const Clock::time_point start = Clock::now();
    work();
    if (run > 0) best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

/// Tensors for passes of a convolution in isolation.
struct Trial {
  BlockedShape input, output;
  HugeBuffer x, y;
  std::vector<float> weights;

  explicit Trial(const ConvolutionShape& shape)
      : input{shape.images, {shape.inputs, shape.input_height, shape.input_width}, shape.block},
        output{shape.images, {shape.filters, shape.output_height, shape.output_width}, shape.block},
        x(input.bytes()),
        y(output.bytes()),
        weights(std::size_t(shape.filters) * shape.inputs * shape.kernel_height * shape.kernel_width) {}
};

double seconds_direct(const dnnl::engine& engine, const ConvolutionShape& shape,
                      const dnnl::memory::desc& source, const NeededDirections& needed, Trial& trial) {
  Convolution convolution(engine, shape, source, needed);
  const HugeBuffer scratch(convolution.scratch_bytes());
  convolution.set_weights(trial.weights.data(), nullptr);
  return seconds_of([&] {
    convolution.forward(trial.x.floats(), trial.y.floats(), scratch.data());
    if (needed.backward_weights)
      convolution.backward_weights(trial.x.floats(), trial.y.floats(), trial.weights.data(), scratch.data());
    if (needed.backward_data) convolution.backward_data(trial.y.floats(), trial.x.floats(), scratch.data());
  });
}

/// Seconds of a forward and a backward pass with tiles of m x m.
struct PassTimes {
  double forward, backward;
};

PassTimes seconds_winograd(int m, const ConvolutionShape& shape, const NeededDirections& needed,
                           const PlaneExtent& used, Trial& trial) {
  winograd::Convolution convolution(shape, {m, m}, used.rows, used.columns);
  const HugeBuffer scratch(convolution.scratch_bytes());
  convolution.set_weights(trial.weights.data());
  const auto plane = [](const BlockedShape& of, const HugeBuffer& tensor, int image, int block) {
    return plane_of(of, tensor.floats(), image * of.channel_blocks() + block);
  };
  const winograd::ReadPlane read_x = [&](int n, int c, const Plane& to) {
    copy_plane(extent_of(trial.input), plane(trial.input, trial.x, n, c), to);
  };
  const winograd::ReadPlane read_y = [&](int n, int c, const Plane& to) {
    copy_plane(used, plane(trial.output, trial.y, n, c), to);
  };
  const winograd::WritePlane write_y = [&](int n, int c, const ConstPlane& from) {
    copy_plane(used, from, plane(trial.output, trial.y, n, c));
  };
  winograd::WritePlane write_x;
  if (needed.backward_data)
    write_x = [&](int n, int c, const ConstPlane& from) {
      copy_plane(extent_of(trial.input), from, plane(trial.input, trial.x, n, c));
    };
  float* gradient = needed.backward_weights ? trial.weights.data() : nullptr;
  return {seconds_of([&] { convolution.forward(read_x, write_y, scratch.data()); }),
          seconds_of([&] { convolution.backward(read_x, read_y, write_x, gradient, scratch.data()); })};
}

std::int64_t products(int m, const ConvolutionShape& shape, const PlaneExtent& used) {
  return winograd::Tiling(shape, m, used.rows, used.columns).products();
}

/// Tiles beyond 4 x 4 round worse (winograd/matrices.hpp).
struct TileRule {
  int largest = 4;
  int worth = 0;  ///< beyond 4 x 4, a tile has to spare more than one product in so many
};

/// Every later layer of a forward pass makes more of its errors.
TileRule forward_rule(int layers_behind) {
  constexpr int most_behind = 4;
  return layers_behind <= most_behind ? TileRule{6, 10} : TileRule{};
}
constexpr TileRule backward_rule{6, 20};

/// The tile with the fewest products.
int tile_by_rule(const TileRule& rule, const ConvolutionShape& shape, const PlaneExtent& used) {
  int best = winograd::tile_sizes[0];
  for (const int m : winograd::tile_sizes) {
    if (m > rule.largest) break;
    const std::int64_t spared = products(best, shape, used) - products(m, shape, used);
    if (spared > (m > 4 ? products(best, shape, used) / rule.worth : 0)) best = m;
  }
  return best;
}

}  // namespace

Algorithm algorithm_by_rule(const ConvolutionShape& shape, const PlaneExtent& used, int layers_behind) {
  constexpr int fewest_channels = 16;
  const winograd::TileSizes tiles{.forward = tile_by_rule(forward_rule(layers_behind), shape, used),
                                  .backward = tile_by_rule(backward_rule, shape, used)};
  const std::int64_t direct = std::int64_t{9} * used.rows * used.columns * shape.images;
  if (std::min(shape.inputs, shape.filters) < fewest_channels ||
      2 * products(tiles.forward, shape, used) > direct)
    return {};
  return {tiles};
}

Algorithm algorithm_by_measurement(const dnnl::engine& engine, const ConvolutionShape& shape,
                                   const dnnl::memory::desc& source, const NeededDirections& needed,
                                   const PlaneExtent& used, int layers_behind) {
  Trial trial(shape);
  constexpr double unknown = std::numeric_limits<double>::infinity();
  winograd::TileSizes tiles;
  PassTimes least{unknown, unknown};
  for (const int m : winograd::tile_sizes) {
    const PassTimes seconds = seconds_winograd(m, shape, needed, used, trial);
    if (seconds.forward < least.forward && m <= forward_rule(layers_behind).largest)
      tiles.forward = m, least.forward = seconds.forward;
    if (seconds.backward < least.backward) tiles.backward = m, least.backward = seconds.backward;
  }
  const double direct = seconds_direct(engine, shape, source, needed, trial);
  return least.forward + least.backward < direct ? Algorithm{tiles} : Algorithm{};
}

}  // namespace whorl::nn::cpu
