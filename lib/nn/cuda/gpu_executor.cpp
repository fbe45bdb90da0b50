// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/gpu_executor.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "gpu/check.hpp"
#include "nn/cuda/activations.hpp"
#include "nn/cuda/convolutions.hpp"
#include "nn/cuda/kernels/loss.hpp"
#include "nn/cuda/kernels/norm.hpp"
#include "nn/cuda/kernels/pictures.hpp"
#include "nn/cuda/memory_need.hpp"
#include "nn/cuda/step.hpp"

namespace whorl::nn {

namespace {

using namespace cuda;
using Clock = std::chrono::steady_clock;

/// Of cuDNN, for any one pass.
constexpr std::size_t workspace_limit = std::size_t{1} << 30;

Storage storage_of(Precision precision) {
  if (precision == Precision::float16) return Storage::float16;
  return precision == Precision::bfloat16 ? Storage::bfloat16 : Storage::float32;
}

/// "fixed" and "direct" are what this backend always does.
std::string record_of(const CompileOptions& options) {
  require(options.plan != "measured",
          "a GPU runs the convolutions that cuDNN recommends: parallel.algorithms = fixed, not measured");
  return options.plan == "fixed" || options.plan == "direct" ? "" : options.plan;
}

Convolutions plan_convolutions(const Network& network, const std::vector<cuda::Group>& groups,
                               const CompileOptions& options, const CudnnHandle& cudnn) {
  return {network, groups, PlanDevice(cudnn),
          ConvolutionOptions{.images = options.shard_size,
                             .precision = options.precision,
                             .workspace_limit = workspace_limit,
                             .record = record_of(options)}};
}

/// Gradients of one group, on their way to the host.
struct Delivery {
  std::size_t begin = 0, end = 0;  ///< in the arena
  gpu::Event computed, copied;
};

class GpuExecutor final : public Executor {
 public:
  GpuExecutor(const Network& network, const CompileOptions& options)
      : network_(network),
        options_(options),
        groups_(cuda::group_layers(network_)),
        convolutions_(plan_convolutions(network_, groups_, options, device_.cudnn)),
        activations_(network_, groups_, options.shard_size, storage_of(options.precision)) {
    require(network.input.height == network.input.width, "network {}: a GPU takes square pictures only",
            network.name);
    device_.storage = storage_of(options.precision);
    cuda::check(cudnnSetStream(device_.cudnn.get(), device_.stream.get()), "cudnnSetStream");
    take_memory();
    make_steps();
  }

  std::string name() const override { return "cudnn"; }
  std::string plan() const override { return convolutions_.text(); }
  std::size_t memory_bytes() const override { return need_.total(); }

  void set_parameters(std::span<const float> parameters) override {
    require_arena(parameters.size());
    const std::span<float> staging = parameter_staging_.as<float>();
    std::copy(parameters.begin(), parameters.end(), staging.begin());
    to_device(device_.parameters.data(), staging.data(), staging.size_bytes());
    for (const auto& step : steps_) step->take_parameters();
    device_.stream.synchronize();  // the staging memory is free again
  }

  ShardResult forward_backward(const Shard& shard, std::span<float> gradients,
                               const GradientsReady& ready) override {
    require_arena(gradients.size());
    require_shard(shard);
    const Clock::time_point start = Clock::now();
    start_.record(device_.stream);
    std::copy(shard.labels.begin(), shard.labels.end(), label_staging_.as<std::int32_t>().begin());
    to_device(labels_.data(), label_staging_.as<std::int32_t>().data(), label_staging_.bytes());
    forward(shard.images, true);
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
    require(images.size() == count * network_.input.count() && count <= std::size_t(options_.shard_size) &&
                logits.size() == count * classes,
            "{} bytes of pictures for {} logits: at most {} whole pictures go in", images.size(),
            logits.size(), options_.shard_size);
    forward(images, false);
    read_logits(device_.storage, options_.shard_size, network_.classes(), logits_extent().channels,
                buffers_.back().y, plain_logits_.as<float>(), device_.stream.get());
    const std::span<float> staging = logit_staging_.as<float>();
    to_host(staging.data(), plain_logits_.data(), staging.size_bytes(), device_.stream);
    device_.stream.synchronize();
    std::copy_n(staging.begin(), logits.size(), logits.begin());
  }

  PassSeconds take_pass_seconds() override { return std::exchange(seconds_, {}); }

 private:
  const Extent& logits_extent() const { return buffers_.back().output; }

  void require_arena(std::size_t size) const {
    require(size == network_.parameters.size(), "an arena of {} floats, but network {} has {}", size,
            network_.name, network_.parameters.size());
  }

  void require_shard(const Shard& shard) const {
    const auto pictures = static_cast<std::size_t>(options_.shard_size);
    require(shard.labels.size() == pictures && shard.images.size() == pictures * network_.input.count(),
            "{} labels and {} bytes of pictures: the network was compiled for shards of {}",
            shard.labels.size(), shard.images.size(), options_.shard_size);
    for (std::size_t n = 0; n < pictures; ++n) {
      require(shard.labels[n] >= 0 && shard.labels[n] < network_.classes(),
              "picture {} of a shard has label {}, but there are {} classes", n, shard.labels[n],
              network_.classes());
    }
  }

  void to_device(void* to, const void* from, std::size_t bytes) const {
    gpu::check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, device_.stream.get()),
               "cudaMemcpyAsync");
  }
  static void to_host(void* to, const void* from, std::size_t bytes, const gpu::Stream& stream) {
    gpu::check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream.get()), "cudaMemcpyAsync");
  }

  std::size_t filter_bytes(const ConvolutionShape& shape) const {
    return static_cast<std::size_t>(shape.weights()) * bytes_of(device_.storage);
  }

  /// Everything at once, so that a network that does not fit fails here, and in words.
  void take_memory() {
    const auto shard = static_cast<std::size_t>(options_.shard_size);
    const std::size_t arena = network_.parameters.size() * sizeof(float);
    std::size_t partials = 0, filters = 0, largest_filter = 0;
    for (const cuda::Group& group : groups_) {
      const int channels = padded_channels(shape_of(network_, group.output).channels);
      partials = std::max(partials, partials_floats(channels) * sizeof(float));
    }
    for (const auto& [layer, convolution] : convolutions_.all()) {
      filters += filter_bytes(convolution.shape);
      largest_filter = std::max(largest_filter, filter_bytes(convolution.shape));
    }
    need_ = {.activations = activations_.bytes(),
             .workspace = convolutions_.workspace_bytes() + partials + largest_filter,
             .weights = 2 * arena + filters};
    std::size_t left = 0, total = 0;
    gpu::check(cudaMemGetInfo(&left, &total), "cudaMemGetInfo");
    const std::string shortage = memory_shortage(network_, need_, activations_, options_.shard_size, left);
    if (!shortage.empty()) throw Error(shortage);

    memory_ = gpu::DeviceMemory(activations_.bytes(), "activations");
    buffers_ = activations_.buffers(memory_.data());
    device_.parameters = gpu::DeviceMemory(arena, "parameters");
    device_.gradients = gpu::DeviceMemory(arena, "gradients");
    device_.workspace = gpu::DeviceMemory(convolutions_.workspace_bytes(), "cuDNN's workspaces");
    device_.partials = gpu::DeviceMemory(partials, "partial sums");
    device_.filter_gradient = gpu::DeviceMemory(largest_filter, "a filter's gradient");
    const std::size_t picture_bytes = shard * network_.input.count();
    pictures_ = gpu::DeviceMemory(picture_bytes, "pictures");
    labels_ = gpu::DeviceMemory(shard * sizeof(std::int32_t), "labels");
    losses_ = gpu::DeviceMemory(shard * sizeof(float), "losses");
    correct_ = gpu::DeviceMemory(shard * sizeof(std::int32_t), "hits");
    totals_ = gpu::DeviceMemory(sizeof(LossTotals), "loss totals");
    plain_logits_ = gpu::DeviceMemory(shard * network_.classes() * sizeof(float), "logits");
    picture_staging_ = gpu::PinnedMemory(picture_bytes);
    label_staging_ = gpu::PinnedMemory(labels_.bytes());
    logit_staging_ = gpu::PinnedMemory(plain_logits_.bytes());
    total_staging_ = gpu::PinnedMemory(sizeof(LossTotals));
    parameter_staging_ = gpu::PinnedMemory(arena);
    gradient_staging_ = gpu::PinnedMemory(arena);
  }

  void make_steps() {
    std::size_t begin = 0;
    for (std::size_t k = 0; k < groups_.size(); ++k) {
      const cuda::Group& group = groups_[k];
      if (group.kind == cuda::Group::Kind::convolution)
        steps_.push_back(
            make_convolution_step(network_, group, buffers_[k], convolutions_.at(group.layer), device_));
      if (group.kind == cuda::Group::Kind::pointwise)
        steps_.push_back(make_pointwise_step(network_, group, buffers_[k], device_));
      if (group.kind == cuda::Group::Kind::average_pool)
        steps_.push_back(make_average_pool_step(network_, group, buffers_[k], device_));
    }
    deliveries_.resize(groups_.size());
    for (std::size_t k = groups_.size(); k-- > 0;) {
      deliveries_[k].begin = begin;
      deliveries_[k].end = begin = end_of_gradients(k);
    }
  }

  /// Gradients [0, end) are there once group k has run backward. A bias belongs to a layer before the group
  /// that may add it, so that group's layer is the earliest.
  std::size_t end_of_gradients(std::size_t k) const {
    return network_.parameters.end_of(k == 0 ? 0 : groups_[k - 1].output + 1);
  }

  void forward(std::span<const std::uint8_t> images, bool training) {
    std::copy(images.begin(), images.end(), picture_staging_.as<std::uint8_t>().begin());
    to_device(pictures_.data(), picture_staging_.as<std::uint8_t>().data(), images.size());
    PictureGather gather{.pixels = pictures_.as<std::uint8_t>(),
                         .size = network_.input.height,
                         .channels = padded_channels(network_.input.channels)};
    std::copy_n(network_.normalisation.mean.begin(), 3, gather.mean);
    std::copy_n(network_.normalisation.deviation.begin(), 3, gather.deviation);
    gather_pictures(device_.storage, gather, {.samples = options_.shard_size},
                    activations_.pictures(memory_.data()), device_.stream.get());
    for (const auto& step : steps_) step->forward(training);
  }

  void compute_loss() {
    cross_entropy(device_.storage,
                  {.classes = network_.classes(),
                   .padded_classes = logits_extent().channels,
                   .smoothing = options_.label_smoothing,
                   .logits = buffers_.back().y,
                   .labels = labels_.as<std::int32_t>(),
                   .logits_gradient = buffers_.back().y_gradient,
                   .losses = losses_.as<float>(),
                   .correct = correct_.as<std::int32_t>()},
                  {.samples = options_.shard_size}, device_.stream.get());
    gpu::check(cudaMemsetAsync(totals_.data(), 0, totals_.bytes(), device_.stream.get()), "cudaMemsetAsync");
    add_loss(options_.shard_size, losses_.as<float>(), correct_.as<std::int32_t>(), totals_.as<LossTotals>(),
             nullptr, device_.stream.get());
    to_host(total_staging_.as<LossTotals>().data(), totals_.data(), totals_.bytes(), device_.stream);
  }

  /// Gradients leave in a stream of their own, group after group, while the passes before are computed.
  void backward() {
    const std::span<float> staging = gradient_staging_.as<float>();
    for (std::size_t k = steps_.size(); k-- > 0;) {
      steps_[k]->backward();
      Delivery& delivery = deliveries_[k];
      if (delivery.begin == delivery.end) continue;
      delivery.computed.record(device_.stream);
      copies_.wait_for(delivery.computed);
      to_host(&staging[delivery.begin], device_.gradients.as<float>() + delivery.begin,
              (delivery.end - delivery.begin) * sizeof(float), copies_);
      delivery.copied.record(copies_);
    }
  }

  void deliver(std::span<float> gradients, const GradientsReady& ready) {
    const std::span<const float> staging = gradient_staging_.as<float>();
    for (std::size_t k = deliveries_.size(); k-- > 0;) {
      const Delivery& delivery = deliveries_[k];
      if (delivery.begin == delivery.end) continue;
      delivery.copied.wait();
      for (std::size_t i = delivery.begin; i < delivery.end; ++i) gradients[i] += staging[i];
      if (ready) ready(delivery.end);
    }
  }

  Network network_;
  CompileOptions options_;
  Device device_;
  gpu::Stream copies_;
  std::vector<cuda::Group> groups_;
  Convolutions convolutions_;
  Activations activations_;
  MemoryNeed need_;
  gpu::DeviceMemory memory_;  ///< of activations_
  std::vector<GroupBuffers> buffers_;
  gpu::DeviceMemory pictures_, labels_, losses_, correct_, totals_, plain_logits_;
  gpu::PinnedMemory picture_staging_, label_staging_, logit_staging_, total_staging_, parameter_staging_,
      gradient_staging_;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<Delivery> deliveries_;
  gpu::Event start_, forward_end_;
  PassSeconds seconds_;
};

}  // namespace

std::unique_ptr<Executor> make_gpu_executor(const Network& network, const CompileOptions& options) {
  return std::make_unique<GpuExecutor>(network, options);
}

}  // namespace whorl::nn
