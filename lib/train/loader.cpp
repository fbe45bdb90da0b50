// SPDX-License-Identifier: BSD-3-Clause
#include "train/loader.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/block_range.hpp"
#include "base/error.hpp"
#include "dataset/epoch_order.hpp"

namespace whorl::train {

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

EpochPlan plan_epoch(std::int64_t samples, std::int64_t batch, int shard_size) {
  if (samples < 1) throw UsageError("there are no training pictures");
  if (shard_size < 1 || batch < 1 || batch % shard_size != 0)
    throw UsageError(
        fmt::format("the batch ({}) must be a multiple of the shard size ({})", batch, shard_size));
  EpochPlan plan;
  plan.shard_size = static_cast<int>(std::min<std::int64_t>(shard_size, samples));
  plan.shards_per_batch = static_cast<int>(std::min(batch / shard_size, samples / plan.shard_size));
  plan.steps = samples / plan.batch();
  return plan;
}

/// A fixed set of shards goes round between two queues: the thread takes an empty one, fills it and puts it
/// into `ready`; next() hands the oldest one out and takes the one handed out before back into `empty`.
struct ShardLoader::Impl {
  const dataset::Reader& reader;
  const Augmenter& augmenter;
  EpochPlan plan;
  std::size_t output_bytes;  // of a picture
  std::uint32_t epoch;
  dataset::EpochOrder order;
  Range shards;  // this rank's, of each batch

  std::mutex mutex{};
  std::condition_variable_any changed{};
  std::deque<LoadedShard> empty{}, ready{};  // guarded by mutex, like the following
  std::exception_ptr failure{};
  Seconds spent{};

  LoadedShard current{};  // handed out by next()
  std::int64_t handed_out = 0;
  std::vector<std::int64_t> samples{};  // the thread's own, like the following
  std::vector<std::uint8_t> raw{};
  std::jthread thread{};  // last: joined before anything above goes

  std::int64_t shards_of_epoch() const { return plan.steps * shards.size(); }
  void load_epoch(const std::stop_token& stop);
  bool take_empty(const std::stop_token& stop, LoadedShard& shard);
  Seconds fill(std::int64_t first_position, LoadedShard& shard);
};

void ShardLoader::Impl::load_epoch(const std::stop_token& stop) {
  for (std::int64_t step = 0; step < plan.steps; ++step) {
    for (std::int64_t shard = shards.begin; shard < shards.end; ++shard) {
      LoadedShard loaded;
      if (!take_empty(stop, loaded)) return;
      const Seconds took = fill((step * plan.shards_per_batch + shard) * plan.shard_size, loaded);
      const std::lock_guard lock(mutex);
      ready.push_back(std::move(loaded));
      spent.read += took.read;
      spent.augment += took.augment;
      changed.notify_all();
    }
  }
}

/// False when the loader is going away.
bool ShardLoader::Impl::take_empty(const std::stop_token& stop, LoadedShard& shard) {
  std::unique_lock lock(mutex);
  if (!changed.wait(lock, stop, [&] { return !empty.empty(); }) || stop.stop_requested()) return false;
  shard = std::move(empty.front());
  empty.pop_front();
  return true;
}

ShardLoader::Seconds ShardLoader::Impl::fill(std::int64_t first_position, LoadedShard& shard) {
  const auto count = static_cast<std::size_t>(plan.shard_size);
  const std::size_t input_bytes = reader.info().image_bytes();
  const std::span<const std::int32_t> labels = reader.labels(dataset::Split::train);
  for (auto* buffer : {&raw, &shard.images})
    buffer->resize(count * (buffer == &raw ? input_bytes : output_bytes));
  shard.labels.resize(count);
  samples.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    samples[i] = order(first_position + static_cast<std::int64_t>(i));
    shard.labels[i] = labels[static_cast<std::size_t>(samples[i])];
  }
  const auto start = std::chrono::steady_clock::now();
  reader.read_images(dataset::Split::train, samples, raw.data());
  const double read = seconds_since(start);
  for (std::size_t i = 0; i < count; ++i)
    augmenter.training_view(epoch, samples[i], &raw[i * input_bytes], &shard.images[i * output_bytes]);
  return {read, seconds_since(start) - read, 0};
}

ShardLoader::ShardLoader(const dataset::Reader& reader, const Augmenter& augmenter, const EpochPlan& plan,
                         int output_size, std::uint64_t seed, std::uint32_t epoch, int rank, int ranks,
                         int depth)
    : impl_(new Impl{.reader = reader,
                     .augmenter = augmenter,
                     .plan = plan,
                     .output_bytes = std::size_t(output_size) * output_size * 3,
                     .epoch = epoch,
                     .order = {seed, epoch, reader.info().train_count},
                     .shards = block_range(plan.shards_per_batch, ranks, rank)}) {
  require(depth >= 1, "a loader reads at least one shard ahead, not {}", depth);
  impl_->empty.resize(static_cast<std::size_t>(depth));
  impl_->thread = std::jthread([impl = impl_.get()](const std::stop_token& stop) {
    try {
      impl->load_epoch(stop);
    } catch (...) {
      const std::lock_guard lock(impl->mutex);
      impl->failure = std::current_exception();
      impl->changed.notify_all();
    }
  });
}

ShardLoader::~ShardLoader() = default;

const LoadedShard& ShardLoader::next() {
  Impl& self = *impl_;
  require(self.handed_out < self.shards_of_epoch(), "all {} shards of the epoch have been handed out",
          self.handed_out);
  const auto start = std::chrono::steady_clock::now();
  std::unique_lock lock(self.mutex);
  if (self.handed_out > 0) self.empty.push_back(std::move(self.current));
  self.changed.notify_all();
  self.changed.wait(lock, [&] { return !self.ready.empty() || self.failure; });
  self.spent.wait += seconds_since(start);
  if (self.ready.empty()) std::rethrow_exception(self.failure);
  self.current = std::move(self.ready.front());
  self.ready.pop_front();
  ++self.handed_out;
  return self.current;
}

ShardLoader::Seconds ShardLoader::seconds() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->spent;
}

}  // namespace whorl::train
