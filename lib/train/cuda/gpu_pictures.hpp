// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "base/block_range.hpp"
#include "base/prefetcher.hpp"
#include "gpu/memory.hpp"
#include "gpu/stream.hpp"
#include "train/cuda/pinned_pictures.hpp"
#include "train/step_engine.hpp"

namespace whorl::train {

/// The training split's pictures and labels in GPU memory, as they are stored. Where the whole split fits, it
/// is copied there once. Else the pictures of two steps are there in turns:
///
///   step s is computed | the pictures of s + 1 are copied | a thread reads those of s + 2 into pinned memory
class GpuPictures {
 public:
  /// `samples`: those of each batch that this rank computes. Steps are computed in `stream`, which must
  /// outlive this object.
  GpuPictures(const Training& training, Range samples, gpu::Stream& stream);

  const std::uint8_t* pixels() const { return pixels_.as<std::uint8_t>(); }
  const std::int32_t* labels() const { return labels_.as<std::int32_t>(); }
  /// Pictures in GPU memory; 0: all, in the dataset's order (nn::cuda::RankBatches::held).
  std::int64_t held() const { return held_; }
  std::size_t bytes() const { return pixels_.bytes() + labels_.bytes(); }

  void begin_epoch(const StepEngine::EpochSteps& steps);
  /// Before a step of the epoch is queued: it will find its pictures.
  void provide(std::int64_t step);
  /// After it is queued: once it is done, its pictures may go.
  void release(std::int64_t step);
  void end_epoch() { reader_.reset(); }

  struct Seconds {
    double read = 0;  ///< of the thread
    double wait = 0;  ///< of provide(), for the thread
  };
  /// Since the last call.
  Seconds take_seconds();

 private:
  static constexpr int slots = 2;
  void load_all();
  /// Reads pictures of the split, in this order.
  void read(std::span<const std::int64_t> samples, PinnedPictures& into);
  /// Queues a copy to where picture `first` of those held lies.
  void copy(const PinnedPictures& from, std::int64_t first);

  const Training training_;
  Range samples_;
  gpu::Stream& stream_;
  int gpu_ = 0;
  std::int64_t held_ = 0;
  gpu::DeviceMemory pixels_, labels_;
  gpu::Stream copies_;
  std::array<gpu::Event, slots> copied_, computed_;
  std::atomic<double> read_seconds_ = 0;
  double wait_seconds_ = 0;
  std::optional<Prefetcher<PinnedPictures>> reader_;  // last: its thread ends before anything above goes
};

}  // namespace whorl::train
