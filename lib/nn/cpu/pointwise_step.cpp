// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
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

/// y = curve(norm(pool(input)) + residual), with any part missing. The front, pooling and statistics, may
/// have been called for plane by plane by the convolution before, and so may the rest by the one behind.
class PointwiseGroupStep : public PointwiseStep {
 public:
  PointwiseGroupStep(const Network& network, const Group& group, const GroupBuffers& buffers,
                     Workspace& workspace)
      : buffers_(buffers),
        workspace_(workspace),
        norm_(network, group.norm, buffers.output_shape),
        curve_(curve_of(network, group)),
        only_pool_(group.pool == group.output),
        has_producer_(group.producer != Group::none),
        has_consumer_(group.consumer != Group::none),
        totals_(2 * std::size_t(buffers.output_shape.padded_channels())),
        plane_sums_(2 * std::size_t(buffers.output_shape.block)),
        before_norm_(buffers.output_shape.plane_floats()) {
    if (group.pool != Group::none)
      geometry_ =
          pool_geometry(std::get<Pool>(network.layers[group.pool].operation), buffers.input_shape.sample,
                        buffers.output_shape.sample, buffers.input_shape.block);
  }

  void set_parameters(const float* parameters) override { norm_.set_parameters(parameters); }

  /// One pass for the maxima and the statistics, one for everything behind them.
  void forward(bool training) override {
    const bool statistics = training && norm_.is_batch_norm();
    if (!has_producer_ && (pools() || statistics)) pool_and_take_statistics(statistics);
    if (only_pool_) return;
    if (statistics)
      norm_.use_batch_statistics(has_producer_ ? totals_ : sum_over_images(workspace_.sums, shape()));
    if (!training) norm_.use_running_statistics();
    if (has_consumer_) return;
    for_each_plane(shape().planes(), [&](int plane) {
      forward_plane(extent_of(shape()), at(buffers_.pooled, plane), residual(plane),
                    norm_.affine(channel_of(plane)), curve_, at(buffers_.output, plane));
    });
  }

  /// One pass for the gradient through the curve and its sums, one through the norm and the pooling.
  void backward(float* gradients) override {
    if (only_pool_) return unpool_output_gradient();
    float* g = gradient_through_curve();
    if (!has_consumer_) backward_through_curve(g);
    norm_.add_gradients(has_consumer_ ? totals_ : sum_over_images(workspace_.sums, shape()), gradients);
    pass_to_residual(g);
    if (buffers_.input_gradient != nullptr && !first_pass_suffices()) backward_through_norm(g);
  }

  void take_input(int image, int channel_block, const ConstPlane& from) override {
    const int plane = plane_number(image, channel_block), channel = channel_of(plane);
    const Plane pooled = at(buffers_.pooled, plane);
    if (pools())
      max_pool_plane(geometry_, from, pooled.data, winners_of(plane));
    else
      copy_plane(extent_of(shape()), from, pooled);
    if (!norm_.is_batch_norm()) return;
    if (image == 0) norm_.set_origin(channel, pooled.data);
    sums_of_plane(extent_of(shape()), pooled, norm_.origin(channel), plane_sums_.data());
    add_to_totals(image, channel);
  }

  void give_input_gradient(int image, int channel_block, const Plane& to) override {
    const int plane = plane_number(image, channel_block);
    if (!pools()) return gradient_before_norm(gradient_through_curve(), plane, to);
    gradient_before_norm(gradient_through_curve(), plane, {before_norm_.data(), shape().sample.width});
    clear_plane(covered(geometry_), to);
    max_unpool_plane(geometry_, before_norm_.data(), winners_of(plane), to);
  }

  void give_output(int image, int channel_block, const Plane& to) override {
    const int plane = plane_number(image, channel_block);
    forward_plane(extent_of(shape()), at(buffers_.pooled, plane), {}, norm_.affine(channel_of(plane)), curve_,
                  to);
  }

  void take_output_gradient(int image, int channel_block, const ConstPlane& from) override {
    const int plane = plane_number(image, channel_block), channel = channel_of(plane);
    backward_plane(extent_of(shape()), from, at(buffers_.pooled, plane), {}, norm_.affine(channel), curve_,
                   at(gradient_through_curve(), plane), plane_sums_.data());
    add_to_totals(image, channel);
  }

 private:
  const BlockedShape& shape() const { return buffers_.output_shape; }
  bool pools() const { return buffers_.winners != nullptr; }
  int plane_number(int image, int channel_block) const {
    return image * shape().channel_blocks() + channel_block;
  }
  int channel_of(int plane) const { return plane % shape().channel_blocks() * shape().block; }
  Plane at(float* tensor, int plane) const { return plane_of(shape(), tensor, plane); }
  std::uint16_t* winners_of(int plane) const { return buffers_.winners + plane * shape().plane_floats(); }
  ConstPlane residual(int plane) const {
    return buffers_.residual == nullptr ? ConstPlane() : ConstPlane(at(buffers_.residual, plane));
  }
  double* sums_of(int plane) { return workspace_.sums.data() + std::size_t(plane) * 2 * shape().block; }

  /// Images come in order, so that the totals are the same to the bit every time.
  void add_to_totals(int image, int channel) {
    const int block = shape().block;
    for (int which = 0; which < 2; ++which)
      for (int lane = 0; lane < block; ++lane) {
        double& total = totals_[which * std::size_t(shape().padded_channels()) + channel + lane];
        total = (image == 0 ? 0 : total) + plane_sums_[which * block + lane];
      }
  }

  void pool_and_take_statistics(bool statistics) {
    if (statistics)
      for (int block = 0; block < shape().channel_blocks(); ++block)
        norm_.set_origin(block * shape().block, plane_of(buffers_.input_shape, buffers_.input, block).data);
    for_each_plane(shape().planes(), [&](int plane) {
      const Plane pooled = at(buffers_.pooled, plane);
      if (pools())
        max_pool_plane(geometry_, plane_of(buffers_.input_shape, buffers_.input, plane), pooled.data,
                       winners_of(plane));
      if (statistics)
        sums_of_plane(extent_of(shape()), pooled, norm_.origin(channel_of(plane)), sums_of(plane));
    });
  }

  /// Without norm, pooling or second input the gradient through the curve is the input's gradient.
  bool first_pass_suffices() const {
    return !norm_.changes_gradient() && !pools() && buffers_.input_gradient != nullptr &&
           !buffers_.add_to_input_gradient && buffers_.residual_gradient == nullptr;
  }

  /// Where the gradient through the curve lies. Saves a copy where the residual's gradient, which is the
  /// same, is still unwritten; not if a convolution reads it later, when others may have added to that.
  float* gradient_through_curve() const {
    if (first_pass_suffices()) return buffers_.input_gradient;
    const bool into_residual = buffers_.residual_gradient != nullptr && !buffers_.add_to_residual_gradient &&
                               !pools() && !has_producer_;
    return into_residual ? buffers_.residual_gradient : buffers_.output_gradient;
  }

  void backward_through_curve(float* g) {
    for_each_plane(shape().planes(), [&](int plane) {
      backward_plane(extent_of(shape()), at(buffers_.output_gradient, plane), at(buffers_.pooled, plane),
                     residual(plane), norm_.affine(channel_of(plane)), curve_, at(g, plane), sums_of(plane));
    });
  }

  void pass_to_residual(float* g) const {
    float* target = buffers_.residual_gradient;
    if (target == nullptr || target == g) return;
    for_each_plane(shape().planes(), [&](int plane) {
      if (buffers_.add_to_residual_gradient)
        add_plane(extent_of(shape()), at(g, plane), at(target, plane));
      else
        copy_plane(extent_of(shape()), at(g, plane), at(target, plane));
    });
  }

  void gradient_before_norm(float* g, int plane, const Plane& to) const {
    combine_plane(extent_of(shape()), at(g, plane), at(buffers_.pooled, plane),
                  norm_.gradient_of(channel_of(plane)), to);
  }

  void backward_through_norm(float* g) {
    // The output's gradient is not needed any more, so it serves as the place in between.
    float* target = pools()                          ? g
                    : buffers_.add_to_input_gradient ? buffers_.output_gradient
                                                     : buffers_.input_gradient;
    for_each_plane(shape().planes(), [&](int plane) {
      gradient_before_norm(g, plane, at(target, plane));
      if (pools())
        unpool_plane(plane, target);
      else if (buffers_.add_to_input_gradient)
        add_plane(extent_of(shape()), at(target, plane), at(buffers_.input_gradient, plane));
    });
  }

  void unpool_output_gradient() {
    if (buffers_.input_gradient == nullptr) return;
    for_each_plane(shape().planes(), [&](int plane) { unpool_plane(plane, buffers_.output_gradient); });
  }

  void unpool_plane(int plane, float* gradient) {
    const Plane input = plane_of(buffers_.input_shape, buffers_.input_gradient, plane);
    if (!buffers_.add_to_input_gradient) clear_plane(extent_of(buffers_.input_shape), input);
    max_unpool_plane(geometry_, at(gradient, plane).data, winners_of(plane), input);
  }

  GroupBuffers buffers_;
  Workspace& workspace_;
  ChannelNorm norm_;
  Curve curve_;
  bool only_pool_, has_producer_, has_consumer_;
  PoolGeometry geometry_;
  std::vector<double> totals_, plane_sums_;  ///< of planes exchanged with convolutions
  std::vector<float> before_norm_;           ///< a plane of the gradient between norm and pooling
};

}  // namespace

std::unique_ptr<PointwiseStep> make_pointwise_step(const Network& network, const Group& group,
                                                   const GroupBuffers& buffers, Workspace& workspace) {
  return std::make_unique<PointwiseGroupStep>(network, group, buffers, workspace);
}

}  // namespace whorl::nn::cpu
