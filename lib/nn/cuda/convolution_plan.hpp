// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "nn/cuda/cudnn.hpp"
#include "nn/precision.hpp"

namespace whorl::nn::cuda {

/// What cuDNN plans for: the current GPU, or one that is only described and need not be there.
class PlanDevice {
 public:
  /// The GPU of `handle`, which must outlive this object and every plan made for it.
  explicit PlanDevice(const CudnnHandle& handle) : handle_(&handle) {}
  /// `json` as CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION has it.
  explicit PlanDevice(const std::string& json);

  void describe_graph(Descriptor& operation_graph) const;
  void describe_heuristics(Descriptor& heuristics) const;
  void describe_plan(Descriptor& plan) const;

 private:
  const CudnnHandle* handle_ = nullptr;
  std::optional<Descriptor> properties_;  ///< of a described GPU
};

/// A cross-correlation of NHWC tensors; weights lie as (filters, kernel height, kernel width, channels). The
/// numbers of channels and filters are those in memory, multiples of 8.
struct ConvolutionShape {
  std::int64_t images = 0;
  std::int64_t channels = 0, height = 0, width = 0;
  std::int64_t filters = 0, kernel_height = 0, kernel_width = 0;
  std::int64_t stride = 1, padding = 0;

  std::int64_t output_height() const { return (height + 2 * padding - kernel_height) / stride + 1; }
  std::int64_t output_width() const { return (width + 2 * padding - kernel_width) / stride + 1; }
  std::int64_t weights() const { return filters * kernel_height * kernel_width * channels; }
};

enum class ConvolutionPass { forward, backward_data, backward_weights };
const char* to_string(ConvolutionPass pass);

/// The three tensors of a convolution: a pass reads two and writes the third.
struct ConvolutionTensors {
  void* input;
  void* weights;
  void* output;
};

struct PlanRequest {
  ConvolutionShape shape;
  ConvolutionPass pass = ConvolutionPass::forward;
  Precision precision = Precision::float32;
  bool accumulate = false;  ///< adds to what is in the result instead of overwriting it
  std::size_t workspace_limit = 0;
  std::string engine;  ///< of an earlier plan: the same again; empty: the first that cuDNN recommends
};

/// One pass of a convolution on one GPU.
class ConvolutionPlan {
 public:
  /// The first of cuDNN's recommendations (heuristics A, then its fallbacks) that is deterministic, neither
  /// compiled at run time nor of less precision than asked for, and needs no more workspace than allowed.
  /// Throws Error where there is none.
  ConvolutionPlan(const PlanDevice& device, const PlanRequest& request);

  /// What was chosen, such as "engine 62 TILEK=0 TILE_SIZE=4".
  const std::string& engine() const { return engine_; }
  std::size_t workspace_bytes() const { return workspace_bytes_; }
  /// Puts the pass into the handle's stream. `workspace` has at least workspace_bytes().
  void run(const CudnnHandle& handle, const ConvolutionTensors& tensors, void* workspace) const;

 private:
  Descriptor plan_;
  std::string engine_;
  std::size_t workspace_bytes_ = 0;
};

}  // namespace whorl::nn::cuda
