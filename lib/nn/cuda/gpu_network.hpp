// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nn/cuda/activations.hpp"
#include "nn/cuda/convolutions.hpp"
#include "nn/cuda/kernels/loss.hpp"
#include "nn/cuda/kernels/pictures.hpp"
#include "nn/cuda/memory_need.hpp"
#include "nn/cuda/step.hpp"
#include "nn/executor.hpp"

namespace whorl::nn::cuda {

/// A network compiled for the current GPU: convolutions by cuDNN, everything else by kernels of our own, all
/// activations in memory that is planned and taken at once. Every call but the constructor queues work in the
/// device's stream and returns; it neither allocates nor waits, and may be captured into a CUDA graph.
class GpuNetwork {
 public:
  /// Throws Error where memory does not suffice, naming the layer that takes most and the shard that fits.
  GpuNetwork(const Network& network, const CompileOptions& options);
  GpuNetwork(const GpuNetwork&) = delete;
  GpuNetwork& operator=(const GpuNetwork&) = delete;

  const Network& network() const { return network_; }
  const CompileOptions& options() const { return options_; }
  std::string plan() const { return convolutions_.text(); }
  std::size_t memory_bytes() const { return need_.total(); }
  /// Bytes of activations and their gradients that training on one picture reads and writes in memory, as if
  /// there were no caches; weights, which a shard shares, aside.
  double traffic_per_picture() const;
  /// Its stream, and the arenas of parameters and gradients.
  Device& device() { return device_; }

  /// After every change of device().parameters.
  void take_parameters();
  /// Gathers a shard out of `pixels`, (pictures, size, size, 3), and computes its logits. `training`: batch
  /// statistics instead of running ones.
  void forward(const std::uint8_t* pixels, const Batch& shard, bool training);
  /// After forward(): adds loss and hits to totals[*step], see add_loss(). `labels`: of all pictures.
  void compute_loss(const std::int32_t* labels, const Batch& shard, LossTotals* totals,
                    const std::int64_t* step);
  /// After compute_loss(): *sets* device().gradients. Calls `queued`, in growing order, when what computes
  /// gradients [begin, end) has been queued.
  using Queued = std::function<void(std::size_t begin, std::size_t end)>;
  void backward(const Queued& queued);
  /// Logits of the last forward(), (shard_size, classes): out = weight * logits, or `add`: out += that.
  void read_logits(float* out, float weight = 1, bool add = false);

 private:
  void take_memory();
  void make_steps();
  const Extent& logits_extent() const { return buffers_.back().output; }
  std::size_t filter_bytes(const ConvolutionShape& shape) const;

  Network network_;
  CompileOptions options_;
  Device device_;
  std::vector<Group> groups_;
  Convolutions convolutions_;
  Activations activations_;
  MemoryNeed need_;
  gpu::DeviceMemory memory_;  ///< of activations_
  std::vector<GroupBuffers> buffers_;
  gpu::DeviceMemory losses_, correct_;  ///< by picture of a shard
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<std::size_t> gradient_ends_;  ///< by group: gradients [0, end) are there once it ran backward
};

}  // namespace whorl::nn::cuda
