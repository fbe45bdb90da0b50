// SPDX-License-Identifier: BSD-3-Clause
#include <cstring>
#include <variant>

#include "nn/cpu/batch_norm.hpp"
#include "nn/cpu/pointwise.hpp"
#include "nn/cpu/pool.hpp"
#include "nn/cpu/step.hpp"

namespace whorl::nn::cpu {

namespace {

Curve curve_of(const Network& network, const Group& group) {
  if (group.activation == Group::none) return Curve::identity;
  const auto kind = std::get<Activation>(network.layers[group.activation].operation).kind;
  return kind == Activation::relu ? Curve::relu : Curve::gelu;
}

/// y = curve(norm(pool(input)) + residual), with any part missing.
class PointwiseStep : public Step {
 public:
  PointwiseStep(const Network& network, const Group& group, const GroupBuffers& buffers, Workspace& workspace)
      : buffers_(buffers),
        workspace_(workspace),
        norm_(network, group.norm, buffers.output_shape),
        curve_(curve_of(network, group)),
        only_pool_(group.pool == group.output) {
    if (group.pool != Group::none)
      geometry_ =
          pool_geometry(std::get<Pool>(network.layers[group.pool].operation), buffers.input_shape.sample,
                        buffers.output_shape.sample, buffers.input_shape.block);
  }

  void set_parameters(const float* parameters) override { norm_.set_parameters(parameters); }

  /// One pass for the maxima and the statistics, one for everything behind them.
  void forward(bool training) override {
    const bool statistics = training && norm_.is_batch_norm();
    if (statistics) norm_.set_origin(buffers_.input, buffers_.input_shape.plane_floats());
    if (pools() || statistics) pool_and_take_statistics(statistics);
    if (only_pool_) return;
    if (statistics) norm_.use_batch_statistics(sum_over_images(workspace_.sums, shape()));
    if (!training) norm_.use_running_statistics();
    for_each_plane(shape().planes(), [&](int plane) {
      const std::size_t at = plane * shape().plane_floats();
      forward_plane(buffers_.pooled + at, residual(at), norm_.affine(channel_of(plane)), curve_,
                    buffers_.output + at, shape().pixels(), shape().block);
    });
  }

  /// One pass for the gradient through the curve and its sums, one through the norm and the pooling.
  void backward(float* gradients) override {
    if (only_pool_) return unpool_output_gradient();
    float* g = target_of_first_pass();
    backward_through_curve(g);
    norm_.add_gradients(sum_over_images(workspace_.sums, shape()), gradients);
    pass_to_residual(g);
    if (buffers_.input_gradient != nullptr && !first_pass_suffices()) backward_through_norm(g);
  }

 private:
  const BlockedShape& shape() const { return buffers_.output_shape; }
  bool pools() const { return buffers_.winners != nullptr; }
  int channel_of(int plane) const { return plane % shape().channel_blocks() * shape().block; }
  const float* residual(std::size_t at) const {
    return buffers_.residual == nullptr ? nullptr : buffers_.residual + at;
  }
  double* sums_of(int plane) { return workspace_.sums.data() + std::size_t(plane) * 2 * shape().block; }

  void pool_and_take_statistics(bool statistics) {
    for_each_plane(shape().planes(), [&](int plane) {
      const std::size_t at = plane * shape().plane_floats();
      if (pools())
        max_pool_plane(geometry_, buffers_.input + plane * buffers_.input_shape.plane_floats(),
                       buffers_.pooled + at, buffers_.winners + at);
      if (statistics)
        sums_of_plane(buffers_.pooled + at, shape().pixels(), shape().block, norm_.origin(channel_of(plane)),
                      sums_of(plane));
    });
  }

  /// Without norm, pooling or second input the gradient through the curve is the input's gradient.
  bool first_pass_suffices() const {
    return !norm_.changes_gradient() && !pools() && buffers_.input_gradient != nullptr &&
           !buffers_.add_to_input_gradient && buffers_.residual_gradient == nullptr;
  }

  /// Saves a copy where the residual's gradient, which is the gradient through the curve, is still unwritten.
  float* target_of_first_pass() const {
    if (first_pass_suffices()) return buffers_.input_gradient;
    const bool into_residual =
        buffers_.residual_gradient != nullptr && !buffers_.add_to_residual_gradient && !pools();
    return into_residual ? buffers_.residual_gradient : buffers_.output_gradient;
  }

  void backward_through_curve(float* g) {
    for_each_plane(shape().planes(), [&](int plane) {
      const std::size_t at = plane * shape().plane_floats();
      backward_plane(buffers_.output_gradient + at, buffers_.pooled + at, residual(at), buffers_.output + at,
                     norm_.affine(channel_of(plane)), curve_, g + at, sums_of(plane), shape().pixels(),
                     shape().block);
    });
  }

  void pass_to_residual(const float* g) const {
    float* target = buffers_.residual_gradient;
    if (target == nullptr || target == g) return;
    const std::size_t floats = shape().plane_floats();
    for_each_plane(shape().planes(), [&](int plane) {
      const std::size_t at = plane * floats;
      if (buffers_.add_to_residual_gradient)
        add_to(target + at, g + at, floats);
      else
        std::memcpy(target + at, g + at, floats * sizeof(float));
    });
  }

  void backward_through_norm(float* g) {
    // The output's gradient is not needed any more, so it serves as the place in between.
    float* target = pools()                          ? g
                    : buffers_.add_to_input_gradient ? buffers_.output_gradient
                                                     : buffers_.input_gradient;
    for_each_plane(shape().planes(), [&](int plane) {
      const std::size_t at = plane * shape().plane_floats();
      combine_plane(g + at, buffers_.pooled + at, norm_.gradient_of(channel_of(plane)), target + at,
                    shape().pixels(), shape().block);
      if (pools())
        unpool_plane(plane, target);
      else if (buffers_.add_to_input_gradient)
        add_to(buffers_.input_gradient + at, target + at, shape().plane_floats());
    });
  }

  void unpool_output_gradient() {
    if (buffers_.input_gradient == nullptr) return;
    for_each_plane(shape().planes(), [&](int plane) { unpool_plane(plane, buffers_.output_gradient); });
  }

  void unpool_plane(int plane, const float* gradient) {
    const std::size_t at = plane * shape().plane_floats();
    max_unpool_plane(geometry_, gradient + at, buffers_.winners + at,
                     buffers_.input_gradient + plane * buffers_.input_shape.plane_floats(),
                     buffers_.add_to_input_gradient);
  }

  GroupBuffers buffers_;
  Workspace& workspace_;
  ChannelNorm norm_;
  Curve curve_;
  bool only_pool_;
  PoolGeometry geometry_;
};

}  // namespace

std::unique_ptr<Step> make_pointwise_step(const Network& network, const Group& group,
                                          const GroupBuffers& buffers, Workspace& workspace) {
  return std::make_unique<PointwiseStep>(network, group, buffers, workspace);
}

}  // namespace whorl::nn::cpu
