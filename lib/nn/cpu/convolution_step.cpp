// SPDX-License-Identifier: BSD-3-Clause
#include <utility>

#include "nn/cpu/pointwise.hpp"
#include "nn/cpu/step.hpp"

namespace whorl::nn::cpu {

namespace {

/// A convolution or linear layer with its optional bias.
class ConvolutionStep : public Step {
 public:
  ConvolutionStep(const Network& network, const Group& group, const GroupBuffers& buffers,
                  Convolution convolution, Workspace& workspace)
      : buffers_(buffers), convolution_(std::move(convolution)), workspace_(workspace) {
    const ParameterLayout& parameters = network.parameters;
    const Tensor* weights = parameters.find(group.layer, Role::conv_weight);
    if (weights == nullptr) weights = parameters.find(group.layer, Role::linear_weight);
    weights_ = *weights;
    if (const Tensor* bias = parameters.find(group.layer, Role::bias)) bias_ = *bias;
  }

  void set_parameters(const float* parameters) override {
    convolution_.set_weights(parameters + weights_.offset,
                             bias_.count > 0 ? parameters + bias_.offset : nullptr);
  }

  void forward(bool) override { convolution_.forward(buffers_.input, buffers_.output, scratch()); }

  void backward(float* gradients) override {
    if (bias_.count > 0 && !bias_.frozen) add_bias_gradient(gradients + bias_.offset);
    if (!weights_.frozen)
      convolution_.backward_weights(buffers_.input, buffers_.output_gradient, gradients + weights_.offset,
                                    scratch());
    if (buffers_.input_gradient == nullptr) return;
    float* target = buffers_.add_to_input_gradient ? buffers_.spare : buffers_.input_gradient;
    convolution_.backward_data(buffers_.output_gradient, target, scratch());
    if (buffers_.add_to_input_gradient) {
      const BlockedShape& shape = buffers_.input_shape;
      for_each_plane(shape.planes(), [&](int plane) {
        add_plane(extent_of(shape), plane_of(shape, target, plane),
                  plane_of(shape, buffers_.input_gradient, plane));
      });
    }
  }

 private:
  std::byte* scratch() const { return workspace_.scratch.data(); }

  /// The sum of the output's gradient over images and pixels.
  void add_bias_gradient(float* gradient) {
    const BlockedShape& shape = buffers_.output_shape;
    const std::vector<float> origin(shape.block, 0.0F);
    for_each_plane(shape.planes(), [&](int plane) {
      sums_of_plane(extent_of(shape), plane_of(shape, buffers_.output_gradient, plane), origin.data(),
                    workspace_.sums.data() + std::size_t(plane) * 2 * shape.block);
    });
    const std::vector<double> totals = sum_over_images(workspace_.sums, shape);
    for (std::size_t c = 0; c < bias_.count; ++c) gradient[c] += static_cast<float>(totals[c]);
  }

  GroupBuffers buffers_;
  Convolution convolution_;
  Workspace& workspace_;
  Tensor weights_, bias_;  ///< bias_.count = 0: none
};

}  // namespace

std::vector<double> sum_over_images(const std::vector<double>& sums, const BlockedShape& shape) {
  std::vector<double> totals(2 * std::size_t(shape.padded_channels()), 0.0);
  const double* from = sums.data();
  for (int image = 0; image < shape.images; ++image)
    for (int first = 0; first < shape.padded_channels(); first += shape.block, from += 2 * shape.block)
      for (int lane = 0; lane < shape.block; ++lane) {
        totals[first + lane] += from[lane];
        totals[shape.padded_channels() + first + lane] += from[shape.block + lane];
      }
  return totals;
}

std::unique_ptr<Step> make_convolution_step(const Network& network, const Group& group,
                                            const GroupBuffers& buffers, Convolution convolution,
                                            Workspace& workspace) {
  return std::make_unique<ConvolutionStep>(network, group, buffers, std::move(convolution), workspace);
}

}  // namespace whorl::nn::cpu
