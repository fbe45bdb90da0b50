// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/convolution_pass.hpp"

#include <algorithm>
#include <unordered_map>

namespace whorl::nn::cpu {

namespace {

using dnnl::memory;
constexpr auto f32 = memory::data_type::f32;
constexpr auto direct = dnnl::algorithm::convolution_direct;

/// Less than at the near end where a stride steps over the last inputs.
int padding_at_far_end(const ConvolutionShape& shape, int input, int kernel, int output) {
  return std::max(0, (output - 1) * shape.stride + kernel - input - shape.padding);
}

/// What all three directions are described by.
struct Description {
  memory::desc source, weights, bias, destination;
  memory::dims strides, padding_before, padding_after;

  Description(const ConvolutionShape& shape, const memory::desc& source_description)
      : source(source_description),
        weights({shape.filters, shape.inputs, shape.kernel_height, shape.kernel_width}, f32,
                memory::format_tag::any),
        destination(blocked_description(shape.images, shape.filters, shape.output_height, shape.output_width,
                                        shape.block)),
        strides{shape.stride, shape.stride},
        padding_before{shape.padding, shape.padding},
        padding_after{padding_at_far_end(shape, shape.input_height, shape.kernel_height, shape.output_height),
                      padding_at_far_end(shape, shape.input_width, shape.kernel_width, shape.output_width)} {
    if (shape.bias) bias = memory::desc({shape.filters}, f32, memory::format_tag::x);
  }
};

dnnl::primitive_attr own_scratch() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

dnnl::convolution_forward::primitive_desc forward_description(const dnnl::engine& engine,
                                                              const Description& d) {
  const auto kind = dnnl::prop_kind::forward_training;
  const auto operation =
      d.bias.is_zero()
          ? dnnl::convolution_forward::desc(kind, direct, d.source, d.weights, d.destination, d.strides,
                                            d.padding_before, d.padding_after)
          : dnnl::convolution_forward::desc(kind, direct, d.source, d.weights, d.bias, d.destination,
                                            d.strides, d.padding_before, d.padding_after);
  return {operation, own_scratch(), engine, true};
}

}  // namespace

const char* to_string(Direction direction) {
  if (direction == Direction::forward) return "forward";
  return direction == Direction::backward_data ? "backward_data" : "backward_weights";
}

memory::desc blocked_description(int images, int channels, int height, int width, int block) {
  return {{images, channels, height, width},
          f32,
          block == 16 ? memory::format_tag::nChw16c : memory::format_tag::nChw8c};
}

memory::desc any_layout(int images, int channels, int height, int width) {
  return {{images, channels, height, width}, f32, memory::format_tag::any};
}

memory::desc canonical_weights(const ConvolutionShape& shape) {
  return {
      {shape.filters, shape.inputs, shape.kernel_height, shape.kernel_width}, f32, memory::format_tag::oihw};
}

int preferred_block(const dnnl::engine& engine) {
  const memory::desc any({1, 64, 8, 8}, f32, memory::format_tag::any);
  const memory::desc weights({64, 64, 3, 3}, f32, memory::format_tag::any);
  const dnnl::convolution_forward::desc operation(dnnl::prop_kind::forward_training,
                                                  dnnl::algorithm::convolution_direct, any, weights, any,
                                                  {1, 1}, {1, 1}, {1, 1});
  const dnnl::convolution_forward::primitive_desc description(operation, engine);
  return description.dst_desc() == blocked_description(1, 64, 8, 8, 8) ? 8 : 16;
}

ConvolutionPass::ConvolutionPass(const dnnl::engine& engine,
                                 const dnnl::convolution_forward::primitive_desc& description)
    : engine_(engine),
      primitive_(dnnl::convolution_forward(description)),
      source_{description.src_desc(), DNNL_ARG_SRC},
      weights_{description.weights_desc(), DNNL_ARG_WEIGHTS},
      bias_{description.bias_desc(), DNNL_ARG_BIAS},
      destination_{description.dst_desc(), DNNL_ARG_DST},
      scratch_{description.scratchpad_desc(), DNNL_ARG_SCRATCHPAD} {}

ConvolutionPass::ConvolutionPass(const dnnl::engine& engine,
                                 const dnnl::convolution_backward_data::primitive_desc& description)
    : engine_(engine),
      primitive_(dnnl::convolution_backward_data(description)),
      source_{description.diff_src_desc(), DNNL_ARG_DIFF_SRC},
      weights_{description.weights_desc(), DNNL_ARG_WEIGHTS},
      destination_{description.diff_dst_desc(), DNNL_ARG_DIFF_DST},
      scratch_{description.scratchpad_desc(), DNNL_ARG_SCRATCHPAD} {}

ConvolutionPass::ConvolutionPass(const dnnl::engine& engine,
                                 const dnnl::convolution_backward_weights::primitive_desc& description)
    : engine_(engine),
      primitive_(dnnl::convolution_backward_weights(description)),
      source_{description.src_desc(), DNNL_ARG_SRC},
      weights_{description.diff_weights_desc(), DNNL_ARG_DIFF_WEIGHTS},
      destination_{description.diff_dst_desc(), DNNL_ARG_DIFF_DST},
      scratch_{description.scratchpad_desc(), DNNL_ARG_SCRATCHPAD} {}

std::optional<ConvolutionPass> ConvolutionPass::create(const dnnl::engine& engine,
                                                       const ConvolutionShape& shape, Direction direction,
                                                       const memory::desc& source) {
  const Description d(shape, source);
  const auto forward = forward_description(engine, d);
  if (direction == Direction::forward)
    return forward ? std::optional(ConvolutionPass(engine, forward)) : std::nullopt;
  if (direction == Direction::backward_data) {
    const dnnl::convolution_backward_data::desc operation(direct, d.source, d.weights, d.destination,
                                                          d.strides, d.padding_before, d.padding_after);
    const dnnl::convolution_backward_data::primitive_desc chosen(operation, own_scratch(), engine, forward,
                                                                 true);
    return chosen ? std::optional(ConvolutionPass(engine, chosen)) : std::nullopt;
  }
  const dnnl::convolution_backward_weights::desc operation(direct, d.source, d.weights, d.destination,
                                                           d.strides, d.padding_before, d.padding_after);
  const dnnl::convolution_backward_weights::primitive_desc chosen(operation, own_scratch(), engine, forward,
                                                                  true);
  return chosen ? std::optional(ConvolutionPass(engine, chosen)) : std::nullopt;
}

void ConvolutionPass::run(dnnl::stream& stream, const float* source, const float* weights, const float* bias,
                          const float* destination, std::byte* scratch) const {
  std::unordered_map<int, memory> arguments;
  const auto pass = [&](const Argument& argument, const void* data) {
    arguments.emplace(argument.name, memory(argument.description, engine_, const_cast<void*>(data)));
  };
  pass(source_, source);
  pass(weights_, weights);
  pass(destination_, destination);
  if (bias != nullptr) pass(bias_, bias);
  if (scratch_bytes() > 0) pass(scratch_, scratch);
  primitive_.execute(stream, arguments);
  stream.wait();
}

}  // namespace whorl::nn::cpu
