// SPDX-License-Identifier: BSD-3-Clause
#include "nn/reference/reference_network.hpp"

#include <algorithm>
#include <utility>

namespace whorl::nn::reference {

namespace {

/// Empty when the layer has no such tensor or, for gradients, when it is frozen.
template <typename T>
std::span<T> slot(const Tensor* tensor, std::span<T> arena, bool skip_frozen) {
  if (tensor == nullptr || (skip_frozen && tensor->frozen)) return {};
  return arena.subspan(tensor->offset, tensor->count);
}

}  // namespace

ReferenceNetwork::ReferenceNetwork(Network network)
    : network_(std::move(network)),
      parameters_(network_.parameters.size(), 0.0),
      outputs_(network_.layers.size()),
      statistics_(network_.layers.size()) {}

ConstValues ReferenceNetwork::values(int layer, Role role) const {
  return slot(network_.parameters.find(layer, role), ConstValues(parameters_), false);
}

ChannelStatistics ReferenceNetwork::running_statistics(int layer) const {
  const ConstValues mean = values(layer, Role::running_mean);
  const ConstValues variance = values(layer, Role::running_variance);
  return {{mean.begin(), mean.end()}, {variance.begin(), variance.end()}};
}

const Maps& ReferenceNetwork::forward(Maps pictures, bool training) {
  pictures_ = std::move(pictures);
  for (int layer = 0; layer < static_cast<int>(network_.layers.size()); ++layer)
    forward_layer(layer, training);
  return outputs_.back();
}

void ReferenceNetwork::forward_layer(int layer, bool training) {
  const Layer& spec = network_.layers[layer];
  const Maps& input = output_of(spec.inputs.front());
  Maps& output = outputs_[layer];
  output = Maps(input.samples, spec.output);
  std::visit(
      Overloaded{
          [&](const Conv& conv) {
            conv_forward(conv, input, values(layer, Role::conv_weight), values(layer, Role::bias), output);
          },
          [&](const BatchNorm& norm) {
            statistics_[layer] = training ? channel_statistics(input) : running_statistics(layer);
            batch_norm_forward(norm, input, statistics_[layer], values(layer, Role::bn_scale),
                               values(layer, Role::bn_shift), output);
          },
          [&](const Activation& activation) { activation_forward(activation, input, output); },
          [&](const Pool& pool) { pool_forward(pool, input, output); },
          [&](const Add&) { add_forward(input, output_of(spec.inputs.back()), output); },
          [&](const Linear&) {
            linear_forward(input, values(layer, Role::linear_weight), values(layer, Role::bias), output);
          },
          [&](const Scale& scale) { scale_forward(scale, input, output); },
      },
      spec.operation);
}

/// One backward pass: the gradients of all layers' outputs on the way.
struct ReferenceNetwork::Backward {
  const ReferenceNetwork& net;
  Values gradients;
  std::vector<Maps> output_gradients;

  Values gradient(int layer, Role role) const {
    return slot(net.network_.parameters.find(layer, role), gradients, true);
  }

  /// Null for the picture.
  Maps* gradient_of_output(int layer) {
    if (layer == network_input) return nullptr;
    Maps& maps = output_gradients[layer];
    if (maps.values.empty()) maps = Maps(net.pictures_.samples, net.network_.layers[layer].output);
    return &maps;
  }

  void add_running_statistics(int layer, const Maps& input) const {
    const Values mean = gradient(layer, Role::running_mean);
    const Values variance = gradient(layer, Role::running_variance);
    const double count = static_cast<double>(input.samples) * static_cast<double>(input.plane_size());
    const double unbiased = count / std::max(count - 1, 1.0);
    for (std::size_t c = 0; c < mean.size(); ++c) {
      mean[c] += net.statistics_[layer].mean[c];
      variance[c] += net.statistics_[layer].variance[c] * unbiased;
    }
  }

  void run(int layer) {
    const Layer& spec = net.network_.layers[layer];
    const Maps& input = net.output_of(spec.inputs.front());
    const Maps& output_gradient = output_gradients[layer];
    Maps* input_gradient = gradient_of_output(spec.inputs.front());
    std::visit(
        Overloaded{
            [&](const Conv& conv) {
              conv_backward(conv, input, net.values(layer, Role::conv_weight), output_gradient,
                            input_gradient, gradient(layer, Role::conv_weight), gradient(layer, Role::bias));
            },
            [&](const BatchNorm& norm) {
              batch_norm_backward(norm, input, net.statistics_[layer], net.values(layer, Role::bn_scale),
                                  output_gradient, input_gradient, gradient(layer, Role::bn_scale),
                                  gradient(layer, Role::bn_shift));
              add_running_statistics(layer, input);
            },
            [&](const Activation& activation) {
              activation_backward(activation, input, output_gradient, input_gradient);
            },
            [&](const Pool& pool) { pool_backward(pool, input, output_gradient, input_gradient); },
            [&](const Add&) {
              add_backward(output_gradient, input_gradient, gradient_of_output(spec.inputs.back()));
            },
            [&](const Linear&) {
              linear_backward(input, net.values(layer, Role::linear_weight), output_gradient, input_gradient,
                              gradient(layer, Role::linear_weight), gradient(layer, Role::bias));
            },
            [&](const Scale& scale) { scale_backward(scale, output_gradient, input_gradient); },
        },
        spec.operation);
  }
};

void ReferenceNetwork::backward(Maps logits_gradient, std::span<double> gradients,
                                const std::function<void(int layer)>& layer_done) {
  Backward pass{*this, gradients, std::vector<Maps>(outputs_.size())};
  pass.output_gradients.back() = std::move(logits_gradient);
  for (int layer = static_cast<int>(outputs_.size()) - 1; layer >= 0; --layer) {
    pass.run(layer);
    pass.output_gradients[layer] = Maps();
    layer_done(layer);
  }
}

}  // namespace whorl::nn::reference
