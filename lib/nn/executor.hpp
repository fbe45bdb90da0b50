// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/network.hpp"
#include "nn/precision.hpp"

namespace whorl::nn {

/// A shard: a fixed number of pictures that are normalised together and whose gradients are one summand of
/// the step. The shards of a global batch do not depend on the number of ranks.
struct Shard {
  std::span<const std::uint8_t> images;  ///< (n, H, W, 3)
  std::span<const std::int32_t> labels;  ///< (n)
};

/// Sums over a shard.
struct ShardResult {
  double loss = 0;           ///< sum of cross-entropies (with label smoothing)
  std::int64_t correct = 0;  ///< top-1, of the training forward pass
};

/// Called during a backward pass, with growing `end`: gradients [0, end) will not change any more in this
/// shard.
using GradientsReady = std::function<void(std::size_t end)>;

struct CompileOptions {
  int shard_size = 100;
  float label_smoothing = 0;                 ///< target = (1 - s) one-hot + s / classes
  Precision precision = Precision::float32;  ///< of a GPU; the other backends know float32 only
  /// How convolutions are computed. "fixed" or empty: by a rule, the same on every run; "measured": the
  /// fastest, timed here; "direct": never by Winograd's algorithm; else the plan() of an earlier compilation:
  /// its choices again.
  std::string plan{};
};

/// A network compiled as a whole for one backend and one shard size. Backends meet here, not at single
/// operations, so that each can choose its own layouts, fuse passes and pick algorithms per layer. At this
/// border everything is canonical: uint8 NHWC pictures in, float32 logits out, parameters and gradients as
/// arenas laid out by Network::parameters. One thread uses an executor at a time, and it computes on that
/// thread; several threads take one each.
class Executor {
 public:
  virtual ~Executor() = default;
  /// What computes: "reference", "cpu", or "cudnn" for the backend "gpu".
  virtual std::string name() const = 0;
  /// The choices made at compilation (one line per layer, empty if there were none), to be recorded and
  /// repeated.
  virtual std::string plan() const { return {}; }
  virtual std::size_t memory_bytes() const = 0;

  /// Takes over parameters, shape (parameters.size()); needed after every change of the arena, before the
  /// passes below.
  virtual void set_parameters(std::span<const float> parameters) = 0;
  /// Forward, loss and backward of one whole shard (n = shard_size). *Adds* the gradient of the summed loss
  /// to `gradients`, and the shard's batch statistics to the running-statistics slots; frozen tensors' slots
  /// are left alone. `ready` may be empty.
  virtual ShardResult forward_backward(const Shard& shard, std::span<float> gradients,
                                       const GradientsReady& ready) = 0;
  /// Logits of n <= shard_size pictures with running statistics, shape (n, classes). A picture's logits do
  /// not depend on the others.
  virtual void infer(std::span<const std::uint8_t> images, std::span<float> logits) = 0;

  /// Seconds spent in forward and backward since the last call (for the phase table).
  struct PassSeconds {
    double forward = 0, backward = 0;
  };
  virtual PassSeconds take_pass_seconds() = 0;
};

/// Names of the backends in this build: "reference", "cpu" and, with CUDA and cuDNN, "gpu".
std::vector<std::string> available_backends();
/// Throws Error naming the available ones for another `backend`. "gpu" compiles for the current GPU of this
/// thread (gpu::claim_gpu), and so must be used on it.
std::unique_ptr<Executor> compile(const Network& network, const std::string& backend,
                                  const CompileOptions& options);

}  // namespace whorl::nn
