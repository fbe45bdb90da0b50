// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "nn/executor.hpp"
#include "nn/layer.hpp"

/// Every layer kind as plain loops in double precision: the definition that the other backends are tested
/// against. A backward function *adds* to the gradients it is given, so that layers with several consumers
/// need nothing special; pass an empty span, or null for the input's gradient, to skip one. Shapes are taken
/// from the arguments and must fit (NetworkBuilder sees to it).
namespace whorl::nn::reference {

/// Feature maps of several samples, (n, C, H, W).
struct Maps {
  int samples = 0;
  Shape shape;
  std::vector<double> values;

  Maps() = default;
  Maps(int n, Shape s) : samples(n), shape(s), values(n * s.count(), 0.0) {}
  double* plane(int n, int c) { return values.data() + index(n, c); }
  const double* plane(int n, int c) const { return values.data() + index(n, c); }
  std::size_t plane_size() const { return std::size_t(shape.height) * shape.width; }

 private:
  std::size_t index(int n, int c) const { return (std::size_t(n) * shape.channels + c) * plane_size(); }
};

using Values = std::span<double>;
using ConstValues = std::span<const double>;

/// `output` gives the shape to fill; an empty `bias` means none.
void conv_forward(const Conv& conv, const Maps& input, ConstValues weights, ConstValues bias, Maps& output);
void conv_backward(const Conv& conv, const Maps& input, ConstValues weights, const Maps& output_gradient,
                   Maps* input_gradient, Values weight_gradient, Values bias_gradient);

/// Per channel, over samples and positions.
struct ChannelStatistics {
  std::vector<double> mean;
  std::vector<double> variance;  ///< biased: divided by the number of values
};
ChannelStatistics channel_statistics(const Maps& input);

/// An empty `scale` means 1.
void batch_norm_forward(const BatchNorm& norm, const Maps& input, const ChannelStatistics& statistics,
                        ConstValues scale, ConstValues shift, Maps& output);
/// `statistics` are those of `input`, through which the gradient flows too.
void batch_norm_backward(const BatchNorm& norm, const Maps& input, const ChannelStatistics& statistics,
                         ConstValues scale, const Maps& output_gradient, Maps* input_gradient,
                         Values scale_gradient, Values shift_gradient);

void activation_forward(const Activation& activation, const Maps& input, Maps& output);
void activation_backward(const Activation& activation, const Maps& input, const Maps& output_gradient,
                         Maps* input_gradient);

/// Of equal maxima the first in row-major order wins the gradient.
void pool_forward(const Pool& pool, const Maps& input, Maps& output);
void pool_backward(const Pool& pool, const Maps& input, const Maps& output_gradient, Maps* input_gradient);

void add_forward(const Maps& left, const Maps& right, Maps& output);
void add_backward(const Maps& output_gradient, Maps* left_gradient, Maps* right_gradient);

void linear_forward(const Maps& input, ConstValues weights, ConstValues bias, Maps& output);
void linear_backward(const Maps& input, ConstValues weights, const Maps& output_gradient,
                     Maps* input_gradient, Values weight_gradient, Values bias_gradient);

void scale_forward(const Scale& scale, const Maps& input, Maps& output);
void scale_backward(const Scale& scale, const Maps& output_gradient, Maps* input_gradient);

/// Summed cross-entropy between softmax(logits) and (1 - smoothing) one-hot + smoothing / classes, and how
/// many labels have the largest logit (the first of equal ones). Adds d loss / d logits. Labels outside [0,
/// classes) throw Error.
ShardResult softmax_cross_entropy(const Maps& logits, std::span<const std::int32_t> labels, double smoothing,
                                  Maps& logits_gradient);

}  // namespace whorl::nn::reference
