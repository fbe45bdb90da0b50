// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/convolutions.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include "base/error.hpp"

namespace whorl::nn::cuda {

namespace {

/// A linear layer is a convolution with a kernel as large as its input.
ConvolutionShape shape_in_memory(const Network& network, int layer, int images) {
  const Layer& spec = network.layers[layer];
  const Shape input = shape_of(network, spec.inputs.front());
  ConvolutionShape shape{.images = images,
                         .channels = padded_channels(input.channels),
                         .height = input.height,
                         .width = input.width,
                         .filters = padded_channels(spec.output.channels),
                         .kernel_height = input.height,
                         .kernel_width = input.width};
  if (const auto* conv = std::get_if<Conv>(&spec.operation)) {
    require(conv->filters % channel_unit == 0,
            "layer {}: {} filters, but on a GPU they come in multiples of {}", spec.name, conv->filters,
            channel_unit);
    shape.kernel_height = shape.kernel_width = conv->kernel;
    shape.stride = conv->stride;
    shape.padding = conv->padding;
  }
  return shape;
}

bool is_frozen(const Network& network, int layer) {
  const Tensor* weights = network.parameters.find(layer, Role::conv_weight);
  return weights != nullptr && weights->frozen;
}

/// "conv1 forward" -> engine
using Record = std::map<std::string, std::string>;

Record parse(const std::string& text) {
  Record record;
  std::istringstream lines(text);
  for (std::string layer, pass, engine; lines >> layer >> pass && std::getline(lines >> std::ws, engine);)
    record[layer + " " + pass] = engine;
  return record;
}

/// Plans one pass after another and writes down what was chosen.
class Planner {
 public:
  Planner(const PlanDevice& device, const ConvolutionOptions& options)
      : device_(device), options_(options), record_(parse(options.record)) {}

  ConvolutionPlan plan(const std::string& layer, const ConvolutionShape& shape, ConvolutionPass pass,
                       bool accumulate = false) {
    const std::string name = fmt::format("{} {}", layer, to_string(pass));
    const auto recorded = record_.find(name);
    require(record_.empty() || recorded != record_.end(), "the recorded plan has no engine for {}", name);
    try {
      ConvolutionPlan plan(device_, {.shape = shape,
                                     .pass = pass,
                                     .precision = options_.precision,
                                     .accumulate = accumulate,
                                     .workspace_limit = options_.workspace_limit,
                                     .engine = record_.empty() ? "" : recorded->second});
      text_ += fmt::format("{} {}\n", name, plan.engine());
      return plan;
    } catch (const Error& error) {
      throw Error("layer {}: {}", layer, error.what());
    }
  }

  const std::string& text() const { return text_; }

 private:
  const PlanDevice& device_;
  const ConvolutionOptions& options_;
  Record record_;
  std::string text_;
};

}  // namespace

std::size_t PlannedConvolution::workspace_bytes() const {
  std::size_t bytes = forward.workspace_bytes();
  for (const auto* backward : {&backward_data, &backward_weights}) {
    if (*backward) bytes = std::max(bytes, (*backward)->workspace_bytes());
  }
  return bytes;
}

Convolutions::Convolutions(const Network& network, const std::vector<Group>& groups, const PlanDevice& device,
                           const ConvolutionOptions& options) {
  Planner planner(device, options);
  for (const Group& group : groups) {
    if (group.kind != Group::Kind::convolution) continue;
    const std::string& name = network.layers[group.layer].name;
    const ConvolutionShape shape = shape_in_memory(network, group.layer, options.images);
    PlannedConvolution planned{.shape = shape,
                               .forward = planner.plan(name, shape, ConvolutionPass::forward),
                               .backward_data = {},
                               .backward_weights = {}};
    if (group.writes_input_gradient) {
      planned.backward_data =
          planner.plan(name, shape, ConvolutionPass::backward_data, group.adds_to_input_gradient);
    }
    if (!is_frozen(network, group.layer))
      planned.backward_weights = planner.plan(name, shape, ConvolutionPass::backward_weights);
    by_layer_.emplace(group.layer, std::move(planned));
  }
  text_ = planner.text();
}

std::size_t Convolutions::workspace_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [layer, convolution] : by_layer_) bytes = std::max(bytes, convolution.workspace_bytes());
  return bytes;
}

}  // namespace whorl::nn::cuda
