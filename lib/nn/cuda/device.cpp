// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/step.hpp"

namespace whorl::nn::cuda {

const float* Device::parameter(const Network& network, int layer, Role role) const {
  const Tensor* tensor = network.parameters.find(layer, role);
  return tensor == nullptr ? nullptr : parameters.as<float>() + tensor->offset;
}

float* Device::gradient(const Network& network, int layer, Role role) const {
  const Tensor* tensor = network.parameters.find(layer, role);
  return tensor == nullptr ? nullptr : gradients.as<float>() + tensor->offset;
}

}  // namespace whorl::nn::cuda
