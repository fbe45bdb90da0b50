// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/algorithm_choice.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
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

double seconds_winograd(int m, const ConvolutionShape& shape, const NeededDirections& needed,
                        const PlaneExtent& used, Trial& trial) {
  winograd::Convolution convolution(shape, m, used.rows, used.columns);
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
  return seconds_of([&] {
    convolution.forward(read_x, write_y, scratch.data());
    convolution.backward(read_x, read_y, write_x, needed.backward_weights ? trial.weights.data() : nullptr,
                         scratch.data());
  });
}

}  // namespace

Algorithm algorithm_by_rule(const ConvolutionShape& shape, const PlaneExtent& used) {
  constexpr int fewest_channels = 16;
  const int tile = winograd::Convolution::best_tile(used.rows, used.columns);
  const int products = winograd::Convolution::products(tile, used.rows, used.columns),
            direct = 9 * used.rows * used.columns;
  if (std::min(shape.inputs, shape.filters) < fewest_channels || 2 * products > direct)
    return Algorithm::direct;
  return tile == 3 ? Algorithm::winograd3 : Algorithm::winograd4;
}

Algorithm algorithm_by_measurement(const dnnl::engine& engine, const ConvolutionShape& shape,
                                   const dnnl::memory::desc& source, const NeededDirections& needed,
                                   const PlaneExtent& used) {
  Trial trial(shape);
  Algorithm best = Algorithm::direct;
  double least = seconds_direct(engine, shape, source, needed, trial);
  for (const Algorithm algorithm : {Algorithm::winograd3, Algorithm::winograd4}) {
    const double seconds = seconds_winograd(tile_of(algorithm), shape, needed, used, trial);
    if (seconds < least) best = algorithm, least = seconds;
  }
  return best;
}

}  // namespace whorl::nn::cpu
