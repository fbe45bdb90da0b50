// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/activations.hpp"

#include <algorithm>
#include <variant>

#include "nn/cuda/convolutions.hpp"

namespace whorl::nn::cuda {

namespace {

using Kind = LayerGroup::Kind;

/// Weights' gradients need the input again, pointwise layers compute their way forward again; pooling has
/// noted its winners.
bool reads_input_backward(const Group& group) {
  if (!group.wants_output_gradient || group.pool != Group::none) return false;
  return group.kind == Kind::pointwise || (group.kind == Kind::convolution && group.trains);
}

}  // namespace

Activations::Activations(const Network& network, const std::vector<Group>& groups, int images,
                         Storage storage)
    : network_(network),
      groups_(groups),
      images_(images),
      element_bytes_(bytes_of(storage)),
      values_(network.layers.size() + 1),
      parts_(groups.size()) {
  const Extent pictures = extent_of(network_input);
  values_.front() = {.extent = pictures,
                     .buffer = plan_.reserve(static_cast<std::size_t>(pictures.count()) * element_bytes_, 0,
                                             last_use(network_input))};
  for (std::size_t k = 0; k < groups_.size(); ++k) reserve_group(k);
  plan_.place();
}

Extent Activations::extent_of(int layer) const {
  const Shape shape = shape_of(network_, layer);
  return {images_, shape.height, shape.width, padded_channels(shape.channels)};
}

int Activations::last_use(int layer) const {
  int last = 0;
  for (std::size_t k = 0; k < groups_.size(); ++k) {
    const Group& group = groups_[k];
    if (group.input == layer)
      last = std::max(last, reads_input_backward(group) ? backward_time(k) : static_cast<int>(k));
    if (group.residual == layer)
      last = std::max(last, group.wants_output_gradient ? backward_time(k) : static_cast<int>(k));
  }
  return layer == groups_.back().output ? std::max(last, loss_time()) : last;
}

void Activations::reserve_group(std::size_t k) {
  const Group& group = groups_[k];
  const int now = static_cast<int>(k);
  const Extent extent = extent_of(group.output);
  const auto count = static_cast<std::size_t>(extent.count());
  Value& value = values_[static_cast<std::size_t>(group.output + 1)];
  std::size_t bytes = 0;
  const auto reserve = [&](std::size_t size, int first, int last) {
    bytes += size;
    return plan_.reserve(size, first, last);
  };
  value.extent = extent;
  value.buffer = reserve(count * element_bytes_, now, last_use(group.output));
  if (group.wants_output_gradient) {
    int first = loss_time();  // of the logits
    for (std::size_t reader = groups_.size() - 1; reader > k; --reader) {
      if (groups_[reader].input != group.output && groups_[reader].residual != group.output) continue;
      first = backward_time(reader);
      break;
    }
    value.gradient = reserve(count * element_bytes_, first, backward_time(k));
  }
  if (group.pool != Group::none) {
    const int last = group.wants_output_gradient ? backward_time(k) : now;
    if (group.pool != group.output) parts_[k].pooled = reserve(count * element_bytes_, now, last);
    parts_[k].argmax = reserve(count, now, last);
  }
  by_layer_.push_back({network_.layers[group.output].name, bytes});
}

std::vector<GroupBuffers> Activations::buffers(std::byte* memory) const {
  std::vector<GroupBuffers> all;
  for (std::size_t k = 0; k < groups_.size(); ++k) {
    const Group& group = groups_[k];
    const Value &input = value(group.input), &output = value(group.output);
    GroupBuffers buffers{.input = input.extent, .output = output.extent};
    buffers.x = address(memory, input.buffer);
    buffers.y = address(memory, output.buffer);
    buffers.argmax = static_cast<std::uint8_t*>(address(memory, parts_[k].argmax));
    buffers.pooled = group.pool == Group::none    ? buffers.x
                     : group.pool == group.output ? buffers.y
                                                  : address(memory, parts_[k].pooled);
    buffers.y_gradient = address(memory, output.gradient);
    if (group.writes_input_gradient) buffers.x_gradient = address(memory, input.gradient);
    if (group.residual != Group::none) buffers.residual = address(memory, value(group.residual).buffer);
    if (group.writes_residual_gradient)
      buffers.residual_gradient = address(memory, value(group.residual).gradient);
    all.push_back(buffers);
  }
  return all;
}

}  // namespace whorl::nn::cuda
