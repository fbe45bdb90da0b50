// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "nn/cpu/buffers.hpp"
#include "nn/cpu/convolution.hpp"
#include "nn/cpu/winograd/convolution.hpp"
#include "nn/network.hpp"

namespace whorl::nn::cpu {

/// Memory that every step may use while it runs; grown to the largest wish before the first run.
struct Workspace {
  HugeBuffer scratch;        ///< of oneDNN primitives
  std::vector<double> sums;  ///< two per padded channel and image
};

/// One group of layers, ready to run.
class Step {
 public:
  virtual ~Step() = default;
  /// From a parameter arena.
  virtual void set_parameters(const float* parameters) = 0;
  virtual void forward(bool training) = 0;
  /// Adds to a gradient arena.
  virtual void backward(float* gradients) = 0;
};

/// max pooling -> batch-norm or scale -> sum -> activation. A Winograd convolution beside it takes or leaves
/// the planes of one image's one channel block while it has them in cache.
class PointwiseStep : public Step {
 public:
  /// For the convolution before: pools and takes statistics of its output; gives the gradient of that output.
  virtual void take_input(int image, int channel_block, const ConstPlane& from) = 0;
  virtual void give_input_gradient(int image, int channel_block, const Plane& to) = 0;
  /// For the convolution behind: gives the output, and takes the gradient of it.
  virtual void give_output(int image, int channel_block, const Plane& to) = 0;
  virtual void take_output_gradient(int image, int channel_block, const ConstPlane& from) = 0;
};

/// `workspace` must outlive the step.
std::unique_ptr<Step> make_convolution_step(const Network& network, const Group& group,
                                            const GroupBuffers& buffers, Convolution convolution,
                                            Workspace& workspace);
/// `before` and `behind`: the pointwise groups whose consumer or producer this one is, else null. They must
/// outlive the step.
std::unique_ptr<Step> make_winograd_step(const Network& network, const Group& group,
                                         const GroupBuffers& buffers, winograd::Convolution convolution,
                                         PointwiseStep* before, PointwiseStep* behind, Workspace& workspace);
std::unique_ptr<PointwiseStep> make_pointwise_step(const Network& network, const Group& group,
                                                   const GroupBuffers& buffers, Workspace& workspace);
std::unique_ptr<Step> make_average_pool_step(const Network& network, const Group& group,
                                             const GroupBuffers& buffers);

/// Adds the sums that planes left one after the other (each 2 `block`: first sums, then second sums) over the
/// images: totals[c] and totals[padded channels + c].
std::vector<double> sum_over_images(const std::vector<double>& sums, const BlockedShape& shape);

}  // namespace whorl::nn::cpu
