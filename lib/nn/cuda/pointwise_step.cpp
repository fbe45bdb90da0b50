// SPDX-License-Identifier: BSD-3-Clause
#include <variant>
#include <vector>

#include "gpu/check.hpp"
#include "nn/cuda/kernels/norm.hpp"
#include "nn/cuda/kernels/pool.hpp"
#include "nn/cuda/step.hpp"

namespace whorl::nn::cuda {

namespace {

Pooling pooling_of(const Network& network, int layer, const Extent& input) {
  const Pool& pool = std::get<Pool>(network.layers[layer].operation);
  return {.input = input, .window = pool.window, .stride = pool.stride, .padding = pool.padding};
}

Curve curve_of(const Network& network, int activation) {
  if (activation == Group::none) return Curve::identity;
  const auto kind = std::get<Activation>(network.layers[activation].operation).kind;
  return kind == Activation::relu ? Curve::relu : Curve::gelu;
}

/// max pooling -> batch-norm, scale or bias -> sum -> activation.
class PointwiseStep final : public Step {
 public:
  PointwiseStep(const Network& network, const Group& group, const GroupBuffers& buffers, const Device& device)
      : group_(group),
        buffers_(buffers),
        device_(device),
        norm_(batch_norm_of(network, group)),
        curve_(curve_of(network, group.activation)),
        channels_(buffers.output.channels),
        statistics_(std::size_t{5} * channels_ * sizeof(float), "the statistics of a layer") {
    if (group.pool != Group::none) pooling_ = pooling_of(network, group.pool, buffers.input);
    if (norm_ != nullptr) {
      scale_ = device.parameter(network, group.norm, Role::bn_scale);
      shift_ = device.parameter(network, group.norm, Role::bn_shift);
      running_mean_ = device.parameter(network, group.norm, Role::running_mean);
      running_variance_ = device.parameter(network, group.norm, Role::running_variance);
      scale_gradient_ = device.gradient(network, group.norm, Role::bn_scale);
      shift_gradient_ = device.gradient(network, group.norm, Role::bn_shift);
      running_mean_sum_ = device.gradient(network, group.norm, Role::running_mean);
      running_variance_sum_ = device.gradient(network, group.norm, Role::running_variance);
    } else if (group.norm != Group::none) {
      fill_factor(std::get<Scale>(network.layers[group.norm].operation).factor);
    } else if (group.bias != Group::none) {
      shift_ = device.parameter(network, group.bias, Role::bias);
      shift_gradient_ = device.gradient(network, group.bias, Role::bias);
    }
  }

  void forward(bool training) override {
    if (group_.pool != Group::none) {
      const bool sums_too = training && norm_ != nullptr;
      max_pool_forward(device_.storage, pooling_, buffers_.x, buffers_.pooled, buffers_.argmax,
                       sums_too ? sums() : Partials{}, stream());
    }
    if (only_pools()) return;
    if (norm_ != nullptr && training) take_statistics();
    if (norm_ != nullptr && !training)
      norm_running_factor(channels_, running_variance_, norm_->epsilon, scale_, factor(), stream());
    norm_apply(device_.storage,
               {.extent = buffers_.output,
                .x = buffers_.pooled,
                .affine = affine(training),
                .residual = buffers_.residual,
                .curve = curve_,
                .y = buffers_.y},
               stream());
  }

  void backward() override {
    if (!group_.wants_output_gradient) return;
    if (only_pools()) {
      max_pool_backward(device_.storage, pooling_, buffers_.y_gradient, buffers_.argmax, buffers_.x_gradient,
                        group_.adds_to_input_gradient, stream());
      return;
    }
    if (group_.trains || group_.writes_residual_gradient) sum_backward();
    if (group_.writes_input_gradient) apply_backward();
  }

  std::int64_t training_traffic() const override {
    const std::int64_t noted =
        group_.pool != Group::none ? buffers_.output.count() : 0;  // winners, a byte each
    const bool reads_them = group_.wants_output_gradient && (only_pools() || group_.writes_input_gradient);
    const std::int64_t elements =
        forward_elements() + (group_.wants_output_gradient ? backward_elements() : 0);
    return elements * static_cast<std::int64_t>(bytes_of(device_.storage)) + noted * (reads_them ? 2 : 1);
  }

 private:
  bool only_pools() const { return group_.pool == group_.output; }
  cudaStream_t stream() const { return device_.stream.get(); }
  Partials sums() const { return {device_.partials.as<float>(), sum_blocks(buffers_.output)}; }

  float* statistic(int number) const { return statistics_.as<float>() + std::ptrdiff_t{number} * channels_; }
  float* mean() const { return statistic(0); }
  float* inverse() const { return statistic(1); }
  float* factor() const { return statistic(2); }
  float* slope() const { return statistic(3); }
  float* offset() const { return statistic(4); }

  void fill_factor(float value) {
    const std::vector<float> factors(static_cast<std::size_t>(channels_), value);
    gpu::check(cudaMemcpy(factor(), factors.data(), factors.size() * sizeof(float), cudaMemcpyHostToDevice),
               "cudaMemcpy");
  }

  Affine affine(bool training) const {
    if (norm_ != nullptr) return {training ? mean() : running_mean_, factor(), shift_};
    return {.factor = group_.norm == Group::none ? nullptr : factor(), .shift = shift_};
  }

  std::int64_t forward_elements() const {
    const std::int64_t input = buffers_.input.count(), output = buffers_.output.count();
    std::int64_t elements = group_.pool != Group::none ? input + output : 0;
    if (only_pools()) return elements;
    if (norm_ != nullptr && group_.pool == Group::none) elements += output;  // sums
    return elements + (buffers_.residual != nullptr ? 3 : 2) * output;
  }

  std::int64_t backward_elements() const {
    const std::int64_t input = buffers_.input.count(), output = buffers_.output.count();
    const std::int64_t into_input = input * (group_.adds_to_input_gradient ? 2 : 1);
    if (only_pools()) return output + into_input;
    const std::int64_t reads = (buffers_.residual != nullptr ? 3 : 2) * output;
    std::int64_t elements = 0;
    if (group_.trains || group_.writes_residual_gradient) {
      elements += reads;
      if (group_.writes_residual_gradient) elements += output * (group_.adds_to_residual_gradient ? 2 : 1);
    }
    return group_.writes_input_gradient ? elements + reads + into_input : elements;
  }

  void take_statistics() const {
    if (group_.pool == Group::none)
      norm_sums(device_.storage, buffers_.output, buffers_.pooled, sums(), stream());
    norm_finish({.sums = sums(),
                 .channels = channels_,
                 .positions = buffers_.output.positions(),
                 .epsilon = norm_->epsilon,
                 .scale = scale_,
                 .mean = mean(),
                 .inverse = inverse(),
                 .factor = factor(),
                 .running_mean = running_mean_sum_,
                 .running_variance = running_variance_sum_},
                stream());
  }

  void sum_backward() const {
    norm_backward_sums(device_.storage,
                       {.extent = buffers_.output,
                        .dy = buffers_.y_gradient,
                        .x = buffers_.pooled,
                        .affine = affine(true),
                        .residual = buffers_.residual,
                        .curve = curve_,
                        .g = buffers_.residual_gradient,
                        .add_g = group_.adds_to_residual_gradient,
                        .sums = sums()},
                       stream());
    if (!group_.trains) return;
    const bool has_norm = norm_ != nullptr;
    norm_backward_finish({.sums = sums(),
                          .channels = channels_,
                          .positions = buffers_.output.positions(),
                          .inverse = has_norm ? inverse() : nullptr,
                          .factor = has_norm ? factor() : nullptr,
                          .shift_gradient = shift_gradient_,
                          .scale_gradient = scale_gradient_,
                          .slope = has_norm ? slope() : nullptr,
                          .offset = has_norm ? offset() : nullptr},
                         stream());
  }

  void apply_backward() const {
    const bool has_norm = norm_ != nullptr;
    NormBackwardApply task{.extent = buffers_.output,
                           .dy = buffers_.y_gradient,
                           .x = buffers_.pooled,
                           .affine = affine(true),
                           .residual = buffers_.residual,
                           .curve = curve_,
                           .slope = has_norm ? slope() : nullptr,
                           .offset = has_norm ? offset() : nullptr,
                           .dx = buffers_.x_gradient,
                           .add_dx = group_.adds_to_input_gradient,
                           .unpool = {}};
    if (group_.pool != Group::none)
      task.unpool = {buffers_.argmax, buffers_.input.height, buffers_.input.width, pooling_.window};
    norm_backward_apply(device_.storage, task, stream());
  }

  Group group_;
  GroupBuffers buffers_;
  const Device& device_;
  const BatchNorm* norm_;
  Curve curve_;
  int channels_;
  Pooling pooling_;
  gpu::DeviceMemory statistics_;  ///< (5, channels): see mean() to offset()
  const float *scale_ = nullptr, *shift_ = nullptr, *running_mean_ = nullptr, *running_variance_ = nullptr;
  float *scale_gradient_ = nullptr, *shift_gradient_ = nullptr;
  float *running_mean_sum_ = nullptr, *running_variance_sum_ = nullptr;
};

class AveragePoolStep final : public Step {
 public:
  AveragePoolStep(const Network& network, const Group& group, const GroupBuffers& buffers,
                  const Device& device)
      : group_(group),
        buffers_(buffers),
        device_(device),
        pooling_(pooling_of(network, group.layer, buffers.input)) {}

  void forward(bool) override {
    average_pool_forward(device_.storage, pooling_, buffers_.x, buffers_.y, device_.stream.get());
  }
  void backward() override {
    if (!group_.writes_input_gradient) return;
    average_pool_backward(device_.storage, pooling_, buffers_.y_gradient, buffers_.x_gradient,
                          group_.adds_to_input_gradient, device_.stream.get());
  }
  std::int64_t training_traffic() const override {
    const std::int64_t input = buffers_.input.count(), output = buffers_.output.count();
    const std::int64_t backward = output + input * (group_.adds_to_input_gradient ? 2 : 1);
    return (input + output + (group_.writes_input_gradient ? backward : 0)) *
           static_cast<std::int64_t>(bytes_of(device_.storage));
  }

 private:
  Group group_;
  GroupBuffers buffers_;
  const Device& device_;
  Pooling pooling_;
};

}  // namespace

std::unique_ptr<Step> make_pointwise_step(const Network& network, const Group& group,
                                          const GroupBuffers& buffers, const Device& device) {
  return std::make_unique<PointwiseStep>(network, group, buffers, device);
}

std::unique_ptr<Step> make_average_pool_step(const Network& network, const Group& group,
                                             const GroupBuffers& buffers, const Device& device) {
  return std::make_unique<AveragePoolStep>(network, group, buffers, device);
}

}  // namespace whorl::nn::cuda
