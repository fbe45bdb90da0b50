// SPDX-License-Identifier: BSD-3-Clause
#include "train/cuda/gpu_pictures.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <vector>

#include "base/error.hpp"
#include "dataset/epoch_order.hpp"
#include "gpu/check.hpp"

namespace whorl::train {

namespace {

using Clock = std::chrono::steady_clock;

/// Of the GPU's memory, for what libraries take later.
constexpr std::size_t reserve_bytes = std::size_t{512} << 20;
/// Of the whole split, read and copied at a time.
constexpr std::size_t chunk_bytes = std::size_t{16} << 20;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

GpuPictures::GpuPictures(const Training& training, Range samples, gpu::Stream& stream)
    : training_(training), samples_(samples), stream_(stream) {
  gpu::check(cudaGetDevice(&gpu_), "cudaGetDevice");
  std::size_t left = 0, total = 0;
  gpu::check(cudaMemGetInfo(&left, &total), "cudaMemGetInfo");
  const dataset::Info& info = training.reader.info();
  std::int64_t count = info.train_count;
  const std::size_t picture = info.image_bytes() + sizeof(std::int32_t);
  const bool fits = static_cast<std::size_t>(count) * picture + reserve_bytes <= left;
  if (!fits) count = held_ = slots * samples.size();
  pixels_ = gpu::DeviceMemory(static_cast<std::size_t>(count) * info.image_bytes(), "pictures");
  labels_ = gpu::DeviceMemory(static_cast<std::size_t>(count) * sizeof(std::int32_t), "labels");
  if (fits) load_all();
}

void GpuPictures::load_all() {
  const std::int64_t count = training_.reader.info().train_count;
  const std::size_t chunk = std::max<std::size_t>(1, chunk_bytes / training_.reader.info().image_bytes());
  std::array<PinnedPictures, slots> pinned;
  for (std::int64_t first = 0, turn = 0; first < count; first += static_cast<std::int64_t>(chunk), ++turn) {
    std::vector<std::int64_t> samples(std::min(chunk, static_cast<std::size_t>(count - first)));
    std::iota(samples.begin(), samples.end(), first);
    const auto slot = static_cast<std::size_t>(turn % slots);
    if (turn >= slots) copied_[slot].wait();
    read(samples, pinned[slot]);
    copy(pinned[slot], first);
    copied_[slot].record(copies_);
  }
  copies_.synchronize();
}

void GpuPictures::read(std::span<const std::int64_t> samples, PinnedPictures& into) {
  const Clock::time_point start = Clock::now();
  gpu::check(cudaSetDevice(gpu_), "cudaSetDevice");  // of this thread, which may be the reader's
  into.read(training_.reader, dataset::Split::train, samples, training_.network.classes());
  read_seconds_ += seconds_since(start);
}

void GpuPictures::copy(const PinnedPictures& from, std::int64_t first) {
  const auto picture = static_cast<std::int64_t>(training_.reader.info().image_bytes());
  from.copy(pixels_.as<std::uint8_t>() + first * picture, labels_.as<std::int32_t>() + first, copies_);
}

void GpuPictures::begin_epoch(const StepEngine::EpochSteps& steps) {
  if (held_ == 0 || samples_.size() == 0) return;
  const dataset::EpochOrder order(training_.job.train.seed, steps.epoch, training_.reader.info().train_count);
  std::int64_t next = steps.first_step;
  reader_.emplace(slots + 1, [this, order, steps, next](PinnedPictures& pinned) mutable {
    if (next == steps.steps) return false;
    std::vector<std::int64_t> samples;
    const std::int64_t batch = next * training_.plan.batch();
    for (std::int64_t i = samples_.begin; i < samples_.end; ++i) samples.push_back(order(batch + i));
    read(samples, pinned);
    ++next;
    return true;
  });
}

void GpuPictures::provide(std::int64_t step) {
  if (!reader_) return;
  const auto slot = static_cast<std::size_t>(step % slots);
  // next() takes back the pinned memory of the step before.
  copied_[1 - slot].wait();
  const Clock::time_point start = Clock::now();
  const PinnedPictures* pinned = reader_->next();
  wait_seconds_ += seconds_since(start);
  require(pinned != nullptr, "step {} is behind the end of the epoch", step);
  copies_.wait_for(computed_[slot]);
  copy(*pinned, static_cast<std::int64_t>(slot) * samples_.size());
  copied_[slot].record(copies_);
  stream_.wait_for(copied_[slot]);
}

void GpuPictures::release(std::int64_t step) {
  if (reader_) computed_[static_cast<std::size_t>(step % slots)].record(stream_);
}

GpuPictures::Seconds GpuPictures::take_seconds() {
  return {.read = read_seconds_.exchange(0), .wait = std::exchange(wait_seconds_, 0)};
}

}  // namespace whorl::train
