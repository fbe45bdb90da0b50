// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/gpu_executor.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "gpu/check.hpp"
#include "nn/cuda/gpu_network.hpp"

namespace whorl::nn {

namespace {

using namespace cuda;
using Clock = std::chrono::steady_clock;

void to_device(void* to, const void* from, std::size_t bytes, const gpu::Stream& stream) {
  gpu::check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream.get()), "cudaMemcpyAsync");
}
void to_host(void* to, const void* from, std::size_t bytes, const gpu::Stream& stream) {
  gpu::check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream.get()), "cudaMemcpyAsync");
}

/// Gradients of one group, on their way to the host.
struct Delivery {
  std::size_t begin = 0, end = 0;  ///< in the arena
  gpu::Event computed, copied;
};

class GpuExecutor final : public Executor {
 public:
  GpuExecutor(const Network& network, const CompileOptions& options)
      : compiled_(network, options),
        network_(compiled_.network()),
        shard_size_(static_cast<std::size_t>(options.shard_size)),
        device_(compiled_.device()) {
    const std::size_t arena = network_.parameters.size() * sizeof(float);
    pictures_ = gpu::DeviceMemory(shard_size_ * network_.input.count(), "pictures");
    labels_ = gpu::DeviceMemory(shard_size_ * sizeof(std::int32_t), "labels");
    totals_ = gpu::DeviceMemory(sizeof(LossTotals), "loss totals");
    logits_ = gpu::DeviceMemory(shard_size_ * network_.classes() * sizeof(float), "logits");
    picture_staging_ = gpu::PinnedMemory(pictures_.bytes());
    label_staging_ = gpu::PinnedMemory(labels_.bytes());
    logit_staging_ = gpu::PinnedMemory(logits_.bytes());
    total_staging_ = gpu::PinnedMemory(totals_.bytes());
    parameter_staging_ = gpu::PinnedMemory(arena);
    gradient_staging_ = gpu::PinnedMemory(arena);
  }

  std::string name() const override { return "cudnn"; }
  std::string plan() const override { return compiled_.plan(); }
  std::size_t memory_bytes() const override { return compiled_.memory_bytes(); }

  void set_parameters(std::span<const float> parameters) override {
    require_arena(parameters.size());
    const std::span<float> staging = parameter_staging_.as<float>();
    std::copy(parameters.begin(), parameters.end(), staging.begin());
    to_device(device_.parameters.data(), staging.data(), staging.size_bytes(), device_.stream);
    compiled_.take_parameters();
    device_.stream.synchronize();  // the staging memory is free again
  }

  ShardResult forward_backward(const Shard& shard, std::span<float> gradients,
                               const GradientsReady& ready) override {
    require_arena(gradients.size());
    require_shard(shard);
    const Clock::time_point start = Clock::now();
    start_.record(device_.stream);
    take_pictures(shard.images);
    std::copy(shard.labels.begin(), shard.labels.end(), label_staging_.as<std::int32_t>().begin());
    to_device(labels_.data(), label_staging_.as<std::int32_t>().data(), labels_.bytes(), device_.stream);
    compiled_.forward(pictures_.as<std::uint8_t>(), whole_shard(), true);
    compute_loss();
    forward_end_.record(device_.stream);
    backward();
    deliver(gradients, ready);
    device_.stream.synchronize();
    const double forward_seconds = forward_end_.seconds_since(start_);
    seconds_.forward += forward_seconds;
    seconds_.backward += std::chrono::duration<double>(Clock::now() - start).count() - forward_seconds;
    const LossTotals& totals = total_staging_.as<LossTotals>().front();
    return {.loss = totals.loss, .correct = totals.correct};
  }

  void infer(std::span<const std::uint8_t> images, std::span<float> logits) override {
    const std::size_t count = images.size() / network_.input.count(), classes = network_.classes();
    require(images.size() == count * network_.input.count() && count <= shard_size_ &&
                logits.size() == count * classes,
            "{} bytes of pictures for {} logits: at most {} whole pictures go in", images.size(),
            logits.size(), shard_size_);
    take_pictures(images);
    compiled_.forward(pictures_.as<std::uint8_t>(), whole_shard(), false);
    compiled_.read_logits(logits_.as<float>());
    const std::span<float> staging = logit_staging_.as<float>();
    to_host(staging.data(), logits_.data(), staging.size_bytes(), device_.stream);
    device_.stream.synchronize();
    std::copy_n(staging.begin(), logits.size(), logits.begin());
  }

  PassSeconds take_pass_seconds() override { return std::exchange(seconds_, {}); }

 private:
  Batch whole_shard() const { return {.samples = static_cast<int>(shard_size_)}; }

  void require_arena(std::size_t size) const {
    require(size == network_.parameters.size(), "an arena of {} floats, but network {} has {}", size,
            network_.name, network_.parameters.size());
  }

  void require_shard(const Shard& shard) const {
    require(shard.labels.size() == shard_size_ && shard.images.size() == shard_size_ * network_.input.count(),
            "{} labels and {} bytes of pictures: the network was compiled for shards of {}",
            shard.labels.size(), shard.images.size(), shard_size_);
    for (std::size_t n = 0; n < shard_size_; ++n) {
      require(shard.labels[n] >= 0 && shard.labels[n] < network_.classes(),
              "picture {} of a shard has label {}, but there are {} classes", n, shard.labels[n],
              network_.classes());
    }
  }

  void take_pictures(std::span<const std::uint8_t> images) {
    const std::span<std::uint8_t> staging = picture_staging_.as<std::uint8_t>();
    std::copy(images.begin(), images.end(), staging.begin());
    to_device(pictures_.data(), staging.data(), images.size(), device_.stream);
  }

  void compute_loss() {
    gpu::check(cudaMemsetAsync(totals_.data(), 0, totals_.bytes(), device_.stream.get()), "cudaMemsetAsync");
    compiled_.compute_loss(labels_.as<std::int32_t>(), whole_shard(), totals_.as<LossTotals>(), nullptr);
    to_host(total_staging_.as<LossTotals>().data(), totals_.data(), totals_.bytes(), device_.stream);
  }

  /// Gradients leave in a stream of their own, group after group, while the passes before are computed.
  void backward() {
    const std::span<float> staging = gradient_staging_.as<float>();
    std::size_t used = 0;
    compiled_.backward([&](std::size_t begin, std::size_t end) {
      if (used == deliveries_.size()) deliveries_.emplace_back();
      Delivery& delivery = deliveries_[used++];
      delivery.begin = begin;
      delivery.end = end;
      delivery.computed.record(device_.stream);
      copies_.wait_for(delivery.computed);
      to_host(&staging[begin], device_.gradients.as<float>() + begin, (end - begin) * sizeof(float), copies_);
      delivery.copied.record(copies_);
    });
  }

  void deliver(std::span<float> gradients, const GradientsReady& ready) {
    const std::span<const float> staging = gradient_staging_.as<float>();
    for (const Delivery& delivery : deliveries_) {
      delivery.copied.wait();
      for (std::size_t i = delivery.begin; i < delivery.end; ++i) gradients[i] += staging[i];
      if (ready) ready(delivery.end);
    }
  }

  GpuNetwork compiled_;
  const Network& network_;
  std::size_t shard_size_;
  Device& device_;
  gpu::Stream copies_;
  gpu::DeviceMemory pictures_, labels_, totals_, logits_;
  gpu::PinnedMemory picture_staging_, label_staging_, logit_staging_, total_staging_, parameter_staging_,
      gradient_staging_;
  std::vector<Delivery> deliveries_;
  gpu::Event start_, forward_end_;
  PassSeconds seconds_;
};

}  // namespace

std::unique_ptr<Executor> make_gpu_executor(const Network& network, const CompileOptions& options) {
  return std::make_unique<GpuExecutor>(network, options);
}

}  // namespace whorl::nn
