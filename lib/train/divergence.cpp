// SPDX-License-Identifier: BSD-3-Clause
#include "train/divergence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace whorl::train {

namespace {

bool is_statistic(const nn::Tensor& tensor) {
  return tensor.role == nn::Role::running_mean || tensor.role == nn::Role::running_variance;
}

bool all_finite(const nn::Tensor& tensor, std::span<const float> arena) {
  const std::span<const float> values = arena.subspan(tensor.offset, tensor.count);
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

std::string where_not_finite(const nn::Network& network, double loss, std::span<const float> gradients) {
  const std::vector<nn::Tensor>& tensors = network.parameters.tensors();  // last layer first
  const auto name_of = [&](const nn::Tensor& tensor) {
    return network.layers[static_cast<std::size_t>(tensor.layer)].name;
  };
  const auto first = std::find_if(tensors.rbegin(), tensors.rend(), [&](const nn::Tensor& tensor) {
    return is_statistic(tensor) && !all_finite(tensor, gradients);
  });
  if (first != tensors.rend()) return fmt::format("the forward pass, in {} or before it", name_of(*first));
  if (!std::isfinite(loss)) {
    const auto last = std::find_if(tensors.begin(), tensors.end(), is_statistic);
    return last == tensors.end() ? "the forward pass"
                                 : fmt::format("the forward pass, behind {}", name_of(*last));
  }
  const auto gradient = std::find_if(tensors.begin(), tensors.end(), [&](const nn::Tensor& tensor) {
    return !all_finite(tensor, gradients);
  });
  return gradient == tensors.end() ? "" : fmt::format("the backward pass, in {}", name_of(*gradient));
}

}  // namespace whorl::train
