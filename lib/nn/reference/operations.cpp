// SPDX-License-Identifier: BSD-3-Clause
#include "nn/reference/operations.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"

namespace whorl::nn::reference {

namespace {

/// Calls visit(weight, row of the input, row of the output, columns) for every pair of rows that one weight
/// of a convolution connects; both rows start at the first column where the input is not padding, and the
/// input advances by conv.stride. The innermost loop, over columns, is left to the caller. Cost: filters *
/// channels * kernel^2 * output positions.
template <typename InputMaps, typename OutputMaps, typename Visit>
void for_each_row_pair(const Conv& conv, InputMaps& input, OutputMaps& output, int sample,
                       const Visit& visit) {
  const Shape in = input.shape, out = output.shape;
  for (int filter = 0; filter < out.channels; ++filter) {
    for (int channel = 0; channel < in.channels; ++channel) {
      auto* const in_plane = input.plane(sample, channel);
      auto* const out_plane = output.plane(sample, filter);
      for (int ky = 0; ky < conv.kernel; ++ky) {
        for (int kx = 0; kx < conv.kernel; ++kx) {
          const std::size_t weight =
              ((std::size_t(filter) * in.channels + channel) * conv.kernel + ky) * conv.kernel + kx;
          // Output column x reads input column x * stride + kx - padding, which must lie in [0, width).
          const int first = std::max(0, (conv.padding - kx + conv.stride - 1) / conv.stride);
          const int room = in.width - 1 + conv.padding - kx;
          const int last = room < 0 ? -1 : std::min(out.width - 1, room / conv.stride);
          if (first > last) continue;
          for (int y = 0; y < out.height; ++y) {
            const int in_y = y * conv.stride + ky - conv.padding;
            if (in_y < 0 || in_y >= in.height) continue;
            visit(weight, in_plane + in_y * in.width + (first * conv.stride + kx - conv.padding),
                  out_plane + y * out.width + first, last - first + 1);
          }
        }
      }
    }
  }
}

}  // namespace

void conv_forward(const Conv& conv, const Maps& input, ConstValues weights, ConstValues bias, Maps& output) {
  for (int n = 0; n < output.samples; ++n) {
    for (int filter = 0; filter < output.shape.channels; ++filter) {
      std::fill_n(output.plane(n, filter), output.plane_size(), bias.empty() ? 0.0 : bias[filter]);
    }
    for_each_row_pair(conv, input, output, n,
                      [&](std::size_t weight, const double* in, double* out, int columns) {
                        const double value = weights[weight];
                        for (int x = 0; x < columns; ++x) out[x] += value * in[x * conv.stride];
                      });
  }
}

void conv_backward(const Conv& conv, const Maps& input, ConstValues weights, const Maps& output_gradient,
                   Maps* input_gradient, Values weight_gradient, Values bias_gradient) {
  for (int n = 0; n < input.samples; ++n) {
    if (input_gradient != nullptr) {
      for_each_row_pair(conv, *input_gradient, output_gradient, n,
                        [&](std::size_t weight, double* in, const double* out, int columns) {
                          const double value = weights[weight];
                          for (int x = 0; x < columns; ++x) in[x * conv.stride] += value * out[x];
                        });
    }
    if (!weight_gradient.empty()) {
      for_each_row_pair(conv, input, output_gradient, n,
                        [&](std::size_t weight, const double* in, const double* out, int columns) {
                          double sum = 0;
                          for (int x = 0; x < columns; ++x) sum += in[x * conv.stride] * out[x];
                          weight_gradient[weight] += sum;
                        });
    }
    for (std::size_t filter = 0; filter < bias_gradient.size(); ++filter) {
      const double* out = output_gradient.plane(n, static_cast<int>(filter));
      for (std::size_t i = 0; i < output_gradient.plane_size(); ++i) bias_gradient[filter] += out[i];
    }
  }
}

ChannelStatistics channel_statistics(const Maps& input) {
  const std::size_t plane = input.plane_size();
  const double count = static_cast<double>(input.samples) * static_cast<double>(plane);
  ChannelStatistics statistics;
  for (int c = 0; c < input.shape.channels; ++c) {
    double sum = 0, squares = 0;
    for (int n = 0; n < input.samples; ++n) {
      for (std::size_t i = 0; i < plane; ++i) sum += input.plane(n, c)[i];
    }
    const double mean = sum / count;
    for (int n = 0; n < input.samples; ++n) {
      for (std::size_t i = 0; i < plane; ++i) squares += std::pow(input.plane(n, c)[i] - mean, 2);
    }
    statistics.mean.push_back(mean);
    statistics.variance.push_back(squares / count);
  }
  return statistics;
}

void batch_norm_forward(const BatchNorm& norm, const Maps& input, const ChannelStatistics& statistics,
                        ConstValues scale, ConstValues shift, Maps& output) {
  for (int c = 0; c < input.shape.channels; ++c) {
    const double factor = (scale.empty() ? 1.0 : scale[c]) /
                          std::sqrt(statistics.variance[c] + static_cast<double>(norm.epsilon));
    for (int n = 0; n < input.samples; ++n) {
      const double* in = input.plane(n, c);
      double* out = output.plane(n, c);
      for (std::size_t i = 0; i < input.plane_size(); ++i)
        out[i] = (in[i] - statistics.mean[c]) * factor + shift[c];
    }
  }
}

// With z = (x - mean) / d, d = sqrt(variance + epsilon) and N values in the channel:
// dx = scale / d * (dy - sum(dy) / N - z * sum(dy * z) / N), d scale = sum(dy * z), d shift = sum(dy).
void batch_norm_backward(const BatchNorm& norm, const Maps& input, const ChannelStatistics& statistics,
                         ConstValues scale, const Maps& output_gradient, Maps* input_gradient,
                         Values scale_gradient, Values shift_gradient) {
  const std::size_t plane = input.plane_size();
  const double count = static_cast<double>(input.samples) * static_cast<double>(plane);
  for (int c = 0; c < input.shape.channels; ++c) {
    const double mean = statistics.mean[c];
    const double inverse = 1 / std::sqrt(statistics.variance[c] + static_cast<double>(norm.epsilon));
    double sum = 0, sum_z = 0;
    for (int n = 0; n < input.samples; ++n) {
      const double *in = input.plane(n, c), *out = output_gradient.plane(n, c);
      for (std::size_t i = 0; i < plane; ++i) {
        sum += out[i];
        sum_z += out[i] * (in[i] - mean) * inverse;
      }
    }
    if (!scale_gradient.empty()) scale_gradient[c] += sum_z;
    if (!shift_gradient.empty()) shift_gradient[c] += sum;
    if (input_gradient == nullptr) continue;
    const double factor = (scale.empty() ? 1.0 : scale[c]) * inverse;
    for (int n = 0; n < input.samples; ++n) {
      const double *in = input.plane(n, c), *out = output_gradient.plane(n, c);
      double* in_gradient = input_gradient->plane(n, c);
      for (std::size_t i = 0; i < plane; ++i) {
        in_gradient[i] += factor * (out[i] - sum / count - (in[i] - mean) * inverse * sum_z / count);
      }
    }
  }
}

namespace {

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}
double normal_density(double x) {
  return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
}

double activate(Activation::Kind kind, double x) {
  return kind == Activation::relu ? std::max(x, 0.0) : x * normal_cdf(x);
}

double activation_slope(Activation::Kind kind, double x) {
  if (kind == Activation::relu) return x > 0 ? 1 : 0;
  return normal_cdf(x) + x * normal_density(x);
}

}  // namespace

void activation_forward(const Activation& activation, const Maps& input, Maps& output) {
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    output.values[i] = activate(activation.kind, input.values[i]);
  }
}

void activation_backward(const Activation& activation, const Maps& input, const Maps& output_gradient,
                         Maps* input_gradient) {
  if (input_gradient == nullptr) return;
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    input_gradient->values[i] +=
        activation_slope(activation.kind, input.values[i]) * output_gradient.values[i];
  }
}

namespace {

/// Calls visit(sample, channel, index in the output plane, first row, first column) for every window; the
/// corner may lie in the padding.
template <typename Visit>
void for_each_window(const Pool& pool, const Maps& output, const Visit& visit) {
  for (int n = 0; n < output.samples; ++n) {
    for (int c = 0; c < output.shape.channels; ++c) {
      for (int y = 0; y < output.shape.height; ++y) {
        for (int x = 0; x < output.shape.width; ++x) {
          visit(n, c, y * output.shape.width + x, y * pool.stride - pool.padding,
                x * pool.stride - pool.padding);
        }
      }
    }
  }
}

/// Calls visit(index in the input plane) for the cells of a window that are not padding, in row-major order.
template <typename Visit>
void for_each_cell(const Pool& pool, Shape input, int first_row, int first_column, const Visit& visit) {
  for (int y = std::max(first_row, 0); y < std::min(first_row + pool.window, input.height); ++y) {
    for (int x = std::max(first_column, 0); x < std::min(first_column + pool.window, input.width); ++x) {
      visit(y * input.width + x);
    }
  }
}

int index_of_maximum(const Pool& pool, Shape input, const double* plane, int first_row, int first_column) {
  int best = -1;
  for_each_cell(pool, input, first_row, first_column, [&](int cell) {
    if (best < 0 || plane[cell] > plane[best]) best = cell;
  });
  return best;
}

double window_mean_weight(const Pool& pool) {
  return 1.0 / (double(pool.window) * pool.window);
}

}  // namespace

void pool_forward(const Pool& pool, const Maps& input, Maps& output) {
  for_each_window(pool, output, [&](int n, int c, int out, int row, int column) {
    const double* in = input.plane(n, c);
    double& value = output.plane(n, c)[out];
    if (pool.kind == Pool::max) {
      value = in[index_of_maximum(pool, input.shape, in, row, column)];
    } else {
      value = 0;
      for_each_cell(pool, input.shape, row, column,
                    [&](int cell) { value += in[cell] * window_mean_weight(pool); });
    }
  });
}

void pool_backward(const Pool& pool, const Maps& input, const Maps& output_gradient, Maps* input_gradient) {
  if (input_gradient == nullptr) return;
  for_each_window(pool, output_gradient, [&](int n, int c, int out, int row, int column) {
    const double gradient = output_gradient.plane(n, c)[out];
    double* in_gradient = input_gradient->plane(n, c);
    if (pool.kind == Pool::max) {
      in_gradient[index_of_maximum(pool, input.shape, input.plane(n, c), row, column)] += gradient;
    } else {
      for_each_cell(pool, input.shape, row, column,
                    [&](int cell) { in_gradient[cell] += gradient * window_mean_weight(pool); });
    }
  });
}

void add_forward(const Maps& left, const Maps& right, Maps& output) {
  for (std::size_t i = 0; i < output.values.size(); ++i) output.values[i] = left.values[i] + right.values[i];
}

void add_backward(const Maps& output_gradient, Maps* left_gradient, Maps* right_gradient) {
  for (Maps* gradient : {left_gradient, right_gradient}) {
    if (gradient != nullptr) scale_backward(Scale{1}, output_gradient, gradient);
  }
}

void linear_forward(const Maps& input, ConstValues weights, ConstValues bias, Maps& output) {
  const std::size_t inputs = input.shape.count();
  for (int n = 0; n < input.samples; ++n) {
    const double* in = input.plane(n, 0);
    for (int o = 0; o < output.shape.channels; ++o) {
      double sum = bias.empty() ? 0.0 : bias[o];
      for (std::size_t i = 0; i < inputs; ++i) sum += weights[o * inputs + i] * in[i];
      *output.plane(n, o) = sum;
    }
  }
}

void linear_backward(const Maps& input, ConstValues weights, const Maps& output_gradient,
                     Maps* input_gradient, Values weight_gradient, Values bias_gradient) {
  const std::size_t inputs = input.shape.count();
  for (int n = 0; n < input.samples; ++n) {
    for (int o = 0; o < output_gradient.shape.channels; ++o) {
      const double gradient = *output_gradient.plane(n, o);
      for (std::size_t i = 0; i < inputs; ++i) {
        if (input_gradient != nullptr) input_gradient->plane(n, 0)[i] += weights[o * inputs + i] * gradient;
        if (!weight_gradient.empty()) weight_gradient[o * inputs + i] += input.plane(n, 0)[i] * gradient;
      }
      if (!bias_gradient.empty()) bias_gradient[o] += gradient;
    }
  }
}

void scale_forward(const Scale& scale, const Maps& input, Maps& output) {
  for (std::size_t i = 0; i < input.values.size(); ++i)
    output.values[i] = input.values[i] * double(scale.factor);
}

void scale_backward(const Scale& scale, const Maps& output_gradient, Maps* input_gradient) {
  if (input_gradient == nullptr) return;
  for (std::size_t i = 0; i < output_gradient.values.size(); ++i) {
    input_gradient->values[i] += output_gradient.values[i] * double(scale.factor);
  }
}

// d loss / d logit = softmax - target, because the targets sum to 1.
ShardResult softmax_cross_entropy(const Maps& logits, std::span<const std::int32_t> labels, double smoothing,
                                  Maps& logits_gradient) {
  const int classes = logits.shape.channels;
  ShardResult result;
  for (int n = 0; n < logits.samples; ++n) {
    const std::int32_t label = labels[n];
    require(label >= 0 && label < classes, "picture {} of a shard has label {}, but there are {} classes", n,
            label, classes);
    const double* z = logits.plane(n, 0);
    const double largest = *std::max_element(z, z + classes);
    double sum = 0;
    for (int k = 0; k < classes; ++k) sum += std::exp(z[k] - largest);
    const double log_sum = largest + std::log(sum);
    for (int k = 0; k < classes; ++k) {
      const double target = (k == label ? 1 - smoothing : 0) + smoothing / classes;
      result.loss -= target * (z[k] - log_sum);
      logits_gradient.plane(n, 0)[k] += std::exp(z[k] - log_sum) - target;
    }
    if (std::max_element(z, z + classes) == z + label) ++result.correct;
  }
  return result;
}

}  // namespace whorl::nn::reference
