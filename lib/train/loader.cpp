// SPDX-License-Identifier: BSD-3-Clause
#include "train/loader.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>

#include "base/error.hpp"
#include "base/prefetcher.hpp"
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

std::vector<std::int64_t> samples_of_shard(const EpochPlan& plan, const dataset::EpochOrder& order,
                                           std::int64_t step, std::int64_t shard) {
  const std::int64_t first = (step * plan.shards_per_batch + shard) * plan.shard_size;
  std::vector<std::int64_t> samples(static_cast<std::size_t>(plan.shard_size));
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = order(first + static_cast<std::int64_t>(i));
  return samples;
}

struct ShardLoader::Impl {
  const dataset::Reader& reader;
  const Augmenter& augmenter;
  EpochPlan plan;
  std::size_t output_bytes;  // of a picture
  std::uint32_t epoch;
  dataset::EpochOrder order;
  Range shards;  // of each batch

  std::int64_t next_shard = 0;  // of this loader's in the epoch; the thread's own, like the following
  std::vector<std::uint8_t> raw{};
  std::mutex mutex{};
  Seconds spent{};                                      // guarded by mutex
  std::optional<Prefetcher<LoadedShard>> prefetcher{};  // last: its thread ends before anything above goes

  std::int64_t shards_of_epoch() const { return plan.steps * shards.size(); }
  bool load_next(LoadedShard& shard);
  void fill(const std::vector<std::int64_t>& samples, LoadedShard& shard);
};

bool ShardLoader::Impl::load_next(LoadedShard& shard) {
  if (next_shard == shards_of_epoch()) return false;
  const std::int64_t step = next_shard / shards.size(), of_step = shards.begin + next_shard % shards.size();
  fill(samples_of_shard(plan, order, step, of_step), shard);
  ++next_shard;
  return true;
}

void ShardLoader::Impl::fill(const std::vector<std::int64_t>& samples, LoadedShard& shard) {
  const auto count = static_cast<std::size_t>(plan.shard_size);
  const std::size_t input_bytes = reader.info().image_bytes();
  raw.resize(count * input_bytes);
  shard.images.resize(count * output_bytes);
  shard.labels.resize(count);
  const auto start = std::chrono::steady_clock::now();
  reader.read_labels(dataset::Split::train, samples, shard.labels.data());
  reader.read_images(dataset::Split::train, samples, raw.data());
  reader.require_unchanged();
  const double read = seconds_since(start);
  for (std::size_t i = 0; i < count; ++i)
    augmenter.training_view(epoch, samples[i], &raw[i * input_bytes], &shard.images[i * output_bytes]);
  const std::lock_guard lock(mutex);
  spent.read += read;
  spent.augment += seconds_since(start) - read;
}

ShardLoader::ShardLoader(const dataset::Reader& reader, const Augmenter& augmenter, const EpochPlan& plan,
                         int output_size, std::uint64_t seed, std::uint32_t epoch, Range shards,
                         const Options& options)
    : impl_(new Impl{.reader = reader,
                     .augmenter = augmenter,
                     .plan = plan,
                     .output_bytes = std::size_t(output_size) * output_size * 3,
                     .epoch = epoch,
                     .order = {seed, epoch, reader.info().train_count},
                     .shards = shards}) {
  impl_->next_shard = options.first_step * impl_->shards.size();
  impl_->prefetcher.emplace(options.depth,
                            [impl = impl_.get()](LoadedShard& shard) { return impl->load_next(shard); });
}

ShardLoader::~ShardLoader() = default;
ShardLoader::ShardLoader(ShardLoader&&) noexcept = default;

const LoadedShard& ShardLoader::next() {
  const LoadedShard* shard = impl_->prefetcher->next();
  require(shard != nullptr, "all {} shards of the epoch have been handed out", impl_->shards_of_epoch());
  return *shard;
}

ShardLoader::Seconds ShardLoader::seconds() const {
  const std::lock_guard lock(impl_->mutex);
  Seconds seconds = impl_->spent;
  seconds.wait = impl_->prefetcher->stalls().seconds;
  return seconds;
}

}  // namespace whorl::train
