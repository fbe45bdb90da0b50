// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <dnnl.hpp>
#include <optional>
#include <string>

namespace whorl::nn::cpu {

/// A convolution of a whole shard. A linear layer is the case kernel = input extents.
struct ConvolutionShape {
  int images = 0;
  int inputs = 0, input_height = 1, input_width = 1;
  int filters = 0, output_height = 1, output_width = 1;
  int kernel_height = 1, kernel_width = 1;
  int stride = 1, padding = 0;
  bool bias = false;
  int block = 16;  ///< of the blocked activations
};

enum class Direction { forward, backward_data, backward_weights };
const char* to_string(Direction direction);

/// The channel block that oneDNN prefers on this machine, 16 (AVX-512) or 8.
int preferred_block(const dnnl::engine& engine);

/// One of a convolution's three directions: a oneDNN primitive with its layouts. `source`,
/// `weights` and `destination` stand for values or gradients, as the direction has it.
class ConvolutionPass {
 public:
  /// Empty where oneDNN cannot do this shape. `source` may have layout `any`, then the
  /// primitive chooses; the destination is blocked.
  static std::optional<ConvolutionPass> create(const dnnl::engine& engine, const ConvolutionShape& shape,
                                               Direction direction, const dnnl::memory::desc& source);

  const dnnl::memory::desc& source() const { return source_.description; }
  const dnnl::memory::desc& weights() const { return weights_.description; }
  const dnnl::memory::desc& destination() const { return destination_.description; }
  std::size_t scratch_bytes() const { return scratch_.description.get_size(); }

  /// `bias` only for the forward direction of a convolution that has one, else null. `scratch` holds
  /// scratch_bytes(), aligned to 64.
  void run(dnnl::stream& stream, const float* source, const float* weights, const float* bias,
           const float* destination, std::byte* scratch) const;

 private:
  /// A tensor's layout and the number by which the primitive knows it.
  struct Argument {
    dnnl::memory::desc description;
    int name = 0;
  };
  ConvolutionPass(const dnnl::engine& engine, const dnnl::convolution_forward::primitive_desc& description);
  ConvolutionPass(const dnnl::engine& engine,
                  const dnnl::convolution_backward_data::primitive_desc& description);
  ConvolutionPass(const dnnl::engine& engine,
                  const dnnl::convolution_backward_weights::primitive_desc& description);

  dnnl::engine engine_;
  dnnl::primitive primitive_;
  Argument source_, weights_, bias_, destination_, scratch_;
};

/// Layout descriptions of a shard's activations, in blocks of `block` channels, and of canonical (filters,
/// channels, height, width) weights.
dnnl::memory::desc blocked_description(int images, int channels, int height, int width, int block);
dnnl::memory::desc any_layout(int images, int channels, int height, int width);
dnnl::memory::desc canonical_weights(const ConvolutionShape& shape);

}  // namespace whorl::nn::cpu
