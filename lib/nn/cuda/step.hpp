// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>

#include "gpu/memory.hpp"
#include "gpu/stream.hpp"
#include "nn/cuda/activations.hpp"
#include "nn/cuda/convolutions.hpp"

namespace whorl::nn::cuda {

/// What all steps of one executor use, on the current GPU.
struct Device {
  gpu::Stream stream;
  CudnnHandle cudnn;  ///< works in `stream`
  Storage storage = Storage::float32;
  gpu::DeviceMemory parameters, gradients;  ///< arenas as Network::parameters lays them out, float32
  /// Scratch of one step at a time: of cuDNN, of sums over positions, and a filter gradient in `storage`.
  gpu::DeviceMemory workspace, partials, filter_gradient;

  /// Where a layer's tensor lies in the arenas; null where it has none.
  const float* parameter(const Network& network, int layer, Role role) const;
  float* gradient(const Network& network, int layer, Role role) const;
};

/// One group of layers, ready to run: every call puts work into the device's stream and returns at once.
class Step {
 public:
  virtual ~Step() = default;
  /// After every change of device.parameters.
  virtual void take_parameters() {}
  virtual void forward(bool training) = 0;
  /// *Sets* the gradients of the group's parameters in device.gradients, and writes or adds to those of what
  /// it reads.
  virtual void backward() = 0;
  /// Bytes of activations and of their gradients that forward(true) and backward() read and write, whether
  /// memory or a cache serves them.
  virtual std::int64_t training_traffic() const = 0;
};

/// `device`, `network` and the plan must outlive the step.
std::unique_ptr<Step> make_convolution_step(const Network& network, const Group& group,
                                            const GroupBuffers& buffers, const PlannedConvolution& plan,
                                            const Device& device);
std::unique_ptr<Step> make_pointwise_step(const Network& network, const Group& group,
                                          const GroupBuffers& buffers, const Device& device);
std::unique_ptr<Step> make_average_pool_step(const Network& network, const Group& group,
                                             const GroupBuffers& buffers, const Device& device);

}  // namespace whorl::nn::cuda
