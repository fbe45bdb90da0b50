// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <vector>

#include "base/block_range.hpp"
#include "gpu/memory.hpp"
#include "gpu/stream.hpp"
#include "nn/cuda/gpu_network.hpp"
#include "train/cuda/pinned_pictures.hpp"
#include "train/evaluate.hpp"
#include "train/step_engine.hpp"

namespace whorl::train {

/// Evaluates test pictures on the GPU, with the parameters that lie there:
///
///   for shard of pictures:                   read into page-locked memory while the one before is computed
///     for view: logits (+)= weight * forward(shard as the view shows it)
///     scores[shard] = predictions and losses of the logits
///
/// The host waits for the scores only, 16 bytes a picture.
class GpuEvaluation {
 public:
  /// Takes memory for the job's test-time augmentation. `network` must outlive this object.
  GpuEvaluation(const Training& training, nn::cuda::GpuNetwork& network);
  /// Adds pictures of this rank's part of the test split. `views`: not more than the job's.
  void add(Range samples, const std::vector<View>& views, EvaluationCounts& counts);

 private:
  struct Pinned {
    PinnedPictures pictures;
    gpu::Event copied;
  };
  void upload_views(const std::vector<View>& views);
  void queue_shard(Range samples, Pinned& pinned, const std::vector<View>& views, nn::cuda::Score* scores);

  const Training training_;
  nn::cuda::GpuNetwork& network_;
  gpu::Stream& stream_;
  gpu::DeviceMemory pixels_, labels_, logits_;  ///< of a shard
  gpu::DeviceMemory views_;                     ///< (views, shard)
  gpu::DeviceMemory scores_;                    ///< of this rank's part of the split
  std::array<Pinned, 2> pinned_;
};

}  // namespace whorl::train
