// SPDX-License-Identifier: BSD-3-Clause
#include "nn/parameters.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

namespace whorl::nn {

namespace {

constexpr std::size_t alignment = 16;  // floats: one cache line, one AVX-512 vector

std::size_t aligned(std::size_t count) {
  return (count + alignment - 1) / alignment * alignment;
}

struct TensorSpec {
  Role role;
  std::vector<int> shape;
  bool frozen = false;
};

std::vector<TensorSpec> specs_of(const Conv& conv, Shape input) {
  std::vector<TensorSpec> specs{
      {Role::conv_weight, {conv.filters, input.channels, conv.kernel, conv.kernel}, conv.frozen}};
  if (conv.bias) specs.push_back({Role::bias, {conv.filters}});
  return specs;
}

std::vector<TensorSpec> specs_of(const BatchNorm& norm, Shape input) {
  const std::vector<int> shape{input.channels};
  std::vector<TensorSpec> specs;
  if (norm.scale) specs.push_back({Role::bn_scale, shape});
  specs.push_back({Role::bn_shift, shape});
  specs.push_back({Role::running_mean, shape});
  specs.push_back({Role::running_variance, shape});
  return specs;
}

std::vector<TensorSpec> specs_of(const Linear& linear, Shape input) {
  std::vector<TensorSpec> specs{{Role::linear_weight, {linear.outputs, static_cast<int>(input.count())}}};
  if (linear.bias) specs.push_back({Role::bias, {linear.outputs}});
  return specs;
}

template <typename WithoutParameters>
std::vector<TensorSpec> specs_of(const WithoutParameters&, Shape) {
  return {};
}

std::size_t product(const std::vector<int>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

const char* suffix(Role role) {
  switch (role) {
    case Role::conv_weight:
    case Role::linear_weight:
      return "weight";
    case Role::bias:
      return "bias";
    case Role::bn_scale:
      return "scale";
    case Role::bn_shift:
      return "shift";
    case Role::running_mean:
      return "running_mean";
    case Role::running_variance:
      return "running_variance";
  }
  return "";
}

}  // namespace

const char* to_string(Role role) {
  switch (role) {
    case Role::conv_weight:
      return "conv_weight";
    case Role::linear_weight:
      return "linear_weight";
    case Role::bn_scale:
      return "bn_scale";
    case Role::bn_shift:
      return "bn_shift";
    case Role::bias:
    case Role::running_mean:
    case Role::running_variance:
      break;
  }
  return suffix(role);
}

ParameterLayout::ParameterLayout(const std::vector<Layer>& layers, Shape input) : ends_(layers.size()) {
  for (int index = static_cast<int>(layers.size()) - 1; index >= 0; --index) {
    const Layer& layer = layers[index];
    const int source = layer.inputs.front();
    const Shape shape = source == network_input ? input : layers[source].output;
    const auto specs =
        std::visit([&](const auto& operation) { return specs_of(operation, shape); }, layer.operation);
    for (const TensorSpec& spec : specs) {
      const std::size_t count = product(spec.shape);
      tensors_.push_back(
          {layer.name + "." + suffix(spec.role), spec.role, index, spec.shape, size_, count, spec.frozen});
      size_ += aligned(count);
    }
    ends_[index] = size_;
  }
}

const Tensor* ParameterLayout::find(int layer, Role role) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(), [&](const Tensor& tensor) {
    return tensor.layer == layer && tensor.role == role;
  });
  return found == tensors_.end() ? nullptr : &*found;
}

std::size_t ParameterLayout::end_of(int layer) const {
  return ends_.at(layer);
}

}  // namespace whorl::nn
