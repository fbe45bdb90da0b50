// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <map>
#include <optional>
#include <string>

#include "nn/cuda/convolution_plan.hpp"
#include "nn/cuda/groups.hpp"

namespace whorl::nn::cuda {

/// Channels in memory are multiples of this: what tensor cores and 16-byte loads want.
inline constexpr int channel_unit = 8;
constexpr int padded_channels(int channels) {
  return (channels + channel_unit - 1) / channel_unit * channel_unit;
}

/// The passes of one convolution layer, or linear layer, that a training step needs.
struct PlannedConvolution {
  ConvolutionShape shape;
  ConvolutionPlan forward;
  std::optional<ConvolutionPlan> backward_data;     ///< absent where nothing before wants it
  std::optional<ConvolutionPlan> backward_weights;  ///< absent where the weights are frozen
  std::size_t workspace_bytes() const;
};

struct ConvolutionOptions {
  int images = 0;
  Precision precision = Precision::float32;
  std::size_t workspace_limit = 0;
  /// Text of an earlier Convolutions: the same engines again. Empty: what cuDNN recommends.
  std::string record{};
};

/// All convolutions of a network, planned for one GPU, which need not be there.
class Convolutions {
 public:
  /// Throws Error, naming the layer, where cuDNN has no engine or a convolution's filters are no multiple of
  /// channel_unit. (A linear layer's outputs are padded.)
  Convolutions(const Network& network, const std::vector<Group>& groups, const PlanDevice& device,
               const ConvolutionOptions& options);

  const PlannedConvolution& at(int layer) const { return by_layer_.at(layer); }
  const std::map<int, PlannedConvolution>& all() const { return by_layer_; }
  /// The largest of any pass.
  std::size_t workspace_bytes() const;
  /// One line for each pass: layer, pass, engine.
  const std::string& text() const { return text_; }

 private:
  std::map<int, PlannedConvolution> by_layer_;
  std::string text_;
};

}  // namespace whorl::nn::cuda
