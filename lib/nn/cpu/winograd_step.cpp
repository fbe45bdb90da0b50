// SPDX-License-Identifier: BSD-3-Clause
#include <utility>

#include "nn/cpu/pointwise.hpp"
#include "nn/cpu/step.hpp"

namespace whorl::nn::cpu {

namespace {

/// A Winograd convolution between its neighbours: pointwise groups that it exchanges planes with, or tensors
/// in memory.
class WinogradStep : public Step {
 public:
  WinogradStep(const Network& network, const Group& group, const GroupBuffers& buffers,
               winograd::Convolution convolution, PointwiseStep* before, PointwiseStep* behind,
               Workspace& workspace)
      : buffers_(buffers),
        weights_(*network.parameters.find(group.layer, Role::conv_weight)),
        convolution_(std::move(convolution)),
        workspace_(workspace) {
    const auto plane_from = [](const BlockedShape& shape, float* tensor) {
      return [=](int image, int block, const Plane& to) {
        copy_plane(extent_of(shape), plane_of(shape, tensor, image * shape.channel_blocks() + block), to);
      };
    };
    read_input_ =
        before ? give(&PointwiseStep::give_output, before) : plane_from(buffers.input_shape, buffers.input);
    read_output_gradient_ = behind ? give(&PointwiseStep::give_input_gradient, behind)
                                   : plane_from(buffers.output_shape, buffers.output_gradient);
    write_output_ = behind ? take(&PointwiseStep::take_input, behind)
                           : plane_to(buffers.output_shape, buffers.output, false);
    if (group.input_needs_gradient)
      write_input_gradient_ =
          before ? take(&PointwiseStep::take_output_gradient, before)
                 : plane_to(buffers.input_shape, buffers.input_gradient, buffers.add_to_input_gradient);
  }

  void set_parameters(const float* parameters) override {
    convolution_.set_weights(parameters + weights_.offset);
  }

  void forward(bool) override { convolution_.forward(read_input_, write_output_, workspace_.scratch.data()); }

  void backward(float* gradients) override {
    convolution_.backward(read_input_, read_output_gradient_, write_input_gradient_,
                          weights_.frozen ? nullptr : gradients + weights_.offset, workspace_.scratch.data());
  }

 private:
  using Give = void (PointwiseStep::*)(int, int, const Plane&);
  using Take = void (PointwiseStep::*)(int, int, const ConstPlane&);
  static winograd::ReadPlane give(Give give, PointwiseStep* step) {
    return [=](int image, int block, const Plane& to) { (step->*give)(image, block, to); };
  }
  static winograd::WritePlane take(Take take, PointwiseStep* step) {
    return [=](int image, int block, const ConstPlane& from) { (step->*take)(image, block, from); };
  }
  static winograd::WritePlane plane_to(const BlockedShape& shape, float* tensor, bool add) {
    return [=](int image, int block, const ConstPlane& from) {
      const Plane to = plane_of(shape, tensor, image * shape.channel_blocks() + block);
      add ? add_plane(extent_of(shape), from, to) : copy_plane(extent_of(shape), from, to);
    };
  }

  GroupBuffers buffers_;
  Tensor weights_;
  winograd::Convolution convolution_;
  Workspace& workspace_;
  winograd::ReadPlane read_input_, read_output_gradient_;
  winograd::WritePlane write_output_, write_input_gradient_;
};

}  // namespace

std::unique_ptr<Step> make_winograd_step(const Network& network, const Group& group,
                                         const GroupBuffers& buffers, winograd::Convolution convolution,
                                         PointwiseStep* before, PointwiseStep* behind, Workspace& workspace) {
  return std::make_unique<WinogradStep>(network, group, buffers, std::move(convolution), before, behind,
                                        workspace);
}

}  // namespace whorl::nn::cpu
