// SPDX-License-Identifier: BSD-3-Clause
#include <variant>

#include "nn/cuda/kernels/norm.hpp"
#include "nn/cuda/kernels/weights.hpp"
#include "nn/cuda/step.hpp"

namespace whorl::nn::cuda {

namespace {

FilterShape filter_shape(const Shape& input, const Layer& layer, const ConvolutionShape& padded) {
  return {.filters = layer.output.channels,
          .channels = input.channels,
          .height = static_cast<int>(padded.kernel_height),
          .width = static_cast<int>(padded.kernel_width),
          .padded_filters = static_cast<int>(padded.filters),
          .padded_channels = static_cast<int>(padded.channels)};
}

/// A convolution or linear layer by cuDNN, with its bias where no other group adds it.
class ConvolutionStep final : public Step {
 public:
  ConvolutionStep(const Network& network, const Group& group, const GroupBuffers& buffers,
                  const PlannedConvolution& plan, const Device& device)
      : buffers_(buffers),
        plan_(plan),
        device_(device),
        filter_shape_(filter_shape(shape_of(network, group.input), network.layers[group.layer], plan.shape)),
        filters_(static_cast<std::size_t>(plan.shape.weights()) * bytes_of(device.storage),
                 "the weights of a layer"),
        wants_gradient_(group.wants_output_gradient) {
    const bool is_linear = std::holds_alternative<Linear>(network.layers[group.layer].operation);
    const Role role = is_linear ? Role::linear_weight : Role::conv_weight;
    weights_ = device.parameter(network, group.layer, role);
    weights_gradient_ = device.gradient(network, group.layer, role);
    if (group.bias == Group::none) return;
    bias_ = device.parameter(network, group.bias, Role::bias);
    bias_gradient_ = device.gradient(network, group.bias, Role::bias);
  }

  void take_parameters() override {
    filters_from_arena(device_.storage, filter_shape_, weights_, filters_.data(), device_.stream.get());
  }

  void forward(bool) override {
    run(plan_.forward, {buffers_.x, filters_.data(), buffers_.y});
    if (bias_ == nullptr) return;
    norm_apply(device_.storage,
               {.extent = buffers_.output, .x = buffers_.y, .affine = {.shift = bias_}, .y = buffers_.y},
               device_.stream.get());
  }

  void backward() override {
    if (!wants_gradient_) return;
    if (bias_gradient_ != nullptr) sum_bias_gradient();
    if (plan_.backward_weights) {
      void* filter_gradient = device_.filter_gradient.data();
      run(*plan_.backward_weights, {buffers_.x, filter_gradient, buffers_.y_gradient});
      filter_gradient_to_arena(device_.storage, filter_shape_, filter_gradient, weights_gradient_,
                               device_.stream.get());
    }
    if (plan_.backward_data)
      run(*plan_.backward_data, {buffers_.x_gradient, filters_.data(), buffers_.y_gradient});
  }

  std::int64_t training_traffic() const override {
    const std::int64_t input = buffers_.input.count(), output = buffers_.output.count();
    std::int64_t elements = input + output;
    if (bias_ != nullptr) elements += 2 * output;
    if (wants_gradient_) {
      if (bias_gradient_ != nullptr) elements += 2 * output;
      if (plan_.backward_weights) elements += input + output;
      if (plan_.backward_data) elements += output + input;
    }
    return elements * static_cast<std::int64_t>(bytes_of(device_.storage));
  }

 private:
  void run(const ConvolutionPlan& plan, const ConvolutionTensors& tensors) const {
    plan.run(device_.cudnn, tensors, device_.workspace.data());
  }

  void sum_bias_gradient() const {
    const Extent& extent = buffers_.output;
    const Partials sums{device_.partials.as<float>(), sum_blocks(extent)};
    NormBackwardSums task;
    task.extent = extent;
    task.dy = buffers_.y_gradient;
    task.x = buffers_.y;
    task.sums = sums;
    norm_backward_sums(device_.storage, task, device_.stream.get());
    NormBackwardFinish finish;
    finish.sums = sums;
    finish.channels = extent.channels;
    finish.positions = extent.positions();
    finish.shift_gradient = bias_gradient_;
    norm_backward_finish(finish, device_.stream.get());
  }

  GroupBuffers buffers_;
  const PlannedConvolution& plan_;
  const Device& device_;
  FilterShape filter_shape_;
  gpu::DeviceMemory filters_;  ///< in the storage type, as cuDNN wants them
  bool wants_gradient_;
  const float *weights_ = nullptr, *bias_ = nullptr;
  float *weights_gradient_ = nullptr, *bias_gradient_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_convolution_step(const Network& network, const Group& group,
                                            const GroupBuffers& buffers, const PlannedConvolution& plan,
                                            const Device& device) {
  return std::make_unique<ConvolutionStep>(network, group, buffers, plan, device);
}

}  // namespace whorl::nn::cuda
