// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <dnnl.hpp>
#include <optional>
#include <vector>

#include "nn/cpu/convolution_pass.hpp"
#include "nn/cpu/memory_plan.hpp"

namespace whorl::nn::cpu {

/// The directions that training needs; a frozen convolution of the pictures has only the forward one.
struct NeededDirections {
  bool backward_data = true;
  bool backward_weights = true;
};

/// A convolution or linear layer by oneDNN: its passes, and its weights in the layouts that they want.
class Convolution {
 public:
  /// Throws Error where oneDNN cannot do it.
  Convolution(const dnnl::engine& engine, const ConvolutionShape& shape, const dnnl::memory::desc& source,
              const NeededDirections& needed);

  std::size_t scratch_bytes() const;
  std::size_t bytes() const;

  /// Takes over canonical weights and, if the shape has it, a bias.
  void set_weights(const float* weights, const float* bias);
  void forward(const float* source, float* destination, std::byte* scratch);
  void backward_data(const float* destination_gradient, float* source_gradient, std::byte* scratch);
  /// Adds to `gradient`, in the canonical layout.
  void backward_weights(const float* source, const float* destination_gradient, float* gradient,
                        std::byte* scratch);

 private:
  /// The weights, or their gradient, in a pass's own layout, and the way from or to the canonical one.
  struct PassWeights {
    dnnl::memory values;
    HugeBuffer storage;
    dnnl::reorder reorder;
  };
  ConvolutionPass create(Direction direction) const;
  PassWeights weights_of(const ConvolutionPass& pass, Direction direction) const;
  void take_weights(PassWeights& weights, const float* canonical);

  dnnl::engine engine_;
  dnnl::stream stream_;
  ConvolutionShape shape_;
  dnnl::memory::desc source_;
  ConvolutionPass forward_;
  std::optional<ConvolutionPass> backward_data_, backward_weights_;
  PassWeights forward_values_, backward_values_, gradient_;
  std::vector<float> bias_;
};

}  // namespace whorl::nn::cpu
