// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/block_range.hpp"
#include "dataset/epoch_order.hpp"
#include "dataset/reader.hpp"
#include "train/augment.hpp"

namespace whorl::train {

/// How an epoch is cut: `steps` global batches of `shards_per_batch` shards of `shard_size` samples.
/// Independent of the number of ranks; samples that do not fill a whole batch wait for another epoch's order.
struct EpochPlan {
  std::int64_t steps = 0;
  int shards_per_batch = 0;
  int shard_size = 0;
  std::int64_t batch() const { return std::int64_t{shards_per_batch} * shard_size; }
};
/// `batch` and `shard_size` as asked for; both shrink when the split has fewer samples. Throws UsageError
/// when batch is not a multiple of shard_size.
EpochPlan plan_epoch(std::int64_t samples, std::int64_t batch, int shard_size);

/// A shard ready for an executor.
struct LoadedShard {
  std::vector<std::uint8_t> images;  ///< (shard_size, size, size, 3)
  std::vector<std::int32_t> labels;  ///< (shard_size)
};

/// Which training pictures are in a shard; `step` of the epoch and `shard` of the batch from 0.
std::vector<std::int64_t> samples_of_shard(const EpochPlan& plan, const dataset::EpochOrder& order,
                                           std::int64_t step, std::int64_t shard);

/// Reads and augments some shards of each batch of an epoch in a background thread.
class ShardLoader {
 public:
  struct Options {
    int depth = 3;                ///< shards to read ahead
    std::int64_t first_step = 0;  ///< of the epoch; those before it are left out
  };
  /// `shards`: which of each batch. An exception of the thread is rethrown by next().
  ShardLoader(const dataset::Reader& reader, const Augmenter& augmenter, const EpochPlan& plan,
              int output_size, std::uint64_t seed, std::uint32_t epoch, Range shards, const Options& options);
  ~ShardLoader();
  ShardLoader(ShardLoader&&) noexcept;
  /// The next shard of the epoch, in order; the reference holds until the next call. Blocks while it is not
  /// ready.
  const LoadedShard& next();
  /// Seconds the thread has spent reading and augmenting, and next() waiting, so far.
  struct Seconds {
    double read = 0, augment = 0, wait = 0;
  };
  Seconds seconds() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whorl::train
