// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/gpu_network.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "gpu/check.hpp"
#include "nn/cuda/kernels/norm.hpp"

namespace whorl::nn::cuda {

namespace {

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

Convolutions plan_convolutions(const Network& network, const std::vector<Group>& groups,
                               const CompileOptions& options, const CudnnHandle& cudnn) {
  return {network, groups, PlanDevice(cudnn),
          ConvolutionOptions{.images = options.shard_size,
                             .precision = options.precision,
                             .workspace_limit = workspace_limit,
                             .record = record_of(options)}};
}

}  // namespace

GpuNetwork::GpuNetwork(const Network& network, const CompileOptions& options)
    : network_(network),
      options_(options),
      groups_(group_layers(network_)),
      convolutions_(plan_convolutions(network_, groups_, options, device_.cudnn)),
      activations_(network_, groups_, options.shard_size, storage_of(options.precision)) {
  require(network.input.height == network.input.width, "network {}: a GPU takes square pictures only",
          network.name);
  device_.storage = storage_of(options.precision);
  check(cudnnSetStream(device_.cudnn.get(), device_.stream.get()), "cudnnSetStream");
  take_memory();
  make_steps();
}

std::size_t GpuNetwork::filter_bytes(const ConvolutionShape& shape) const {
  return static_cast<std::size_t>(shape.weights()) * bytes_of(device_.storage);
}

/// Everything at once, so that a network that does not fit fails here, and in words.
void GpuNetwork::take_memory() {
  const auto shard = static_cast<std::size_t>(options_.shard_size);
  const std::size_t arena = network_.parameters.size() * sizeof(float);
  std::size_t partials = 0, filters = 0, largest_filter = 0;
  for (const Group& group : groups_) {
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
  losses_ = gpu::DeviceMemory(shard * sizeof(float), "losses");
  correct_ = gpu::DeviceMemory(shard * sizeof(std::int32_t), "hits");
}

/// A bias belongs to a layer before the group that may add it, so that group's layer is the earliest whose
/// gradients are final.
void GpuNetwork::make_steps() {
  for (std::size_t k = 0; k < groups_.size(); ++k) {
    const Group& group = groups_[k];
    if (group.kind == Group::Kind::convolution)
      steps_.push_back(
          make_convolution_step(network_, group, buffers_[k], convolutions_.at(group.layer), device_));
    if (group.kind == Group::Kind::pointwise)
      steps_.push_back(make_pointwise_step(network_, group, buffers_[k], device_));
    if (group.kind == Group::Kind::average_pool)
      steps_.push_back(make_average_pool_step(network_, group, buffers_[k], device_));
    gradient_ends_.push_back(network_.parameters.end_of(k == 0 ? 0 : groups_[k - 1].output + 1));
  }
}

double GpuNetwork::traffic_per_picture() const {
  std::int64_t bytes = 0;
  for (const auto& step : steps_) bytes += step->training_traffic();
  return static_cast<double>(bytes) / options_.shard_size;
}

void GpuNetwork::take_parameters() {
  for (const auto& step : steps_) step->take_parameters();
}

void GpuNetwork::forward(const std::uint8_t* pixels, const Batch& shard, bool training) {
  PictureGather gather{
      .pixels = pixels, .size = network_.input.height, .channels = padded_channels(network_.input.channels)};
  std::copy_n(network_.normalisation.mean.begin(), 3, gather.mean);
  std::copy_n(network_.normalisation.deviation.begin(), 3, gather.deviation);
  gather_pictures(device_.storage, gather, shard, activations_.pictures(memory_.data()),
                  device_.stream.get());
  for (const auto& step : steps_) step->forward(training);
}

void GpuNetwork::compute_loss(const std::int32_t* labels, const Batch& shard, LossTotals* totals,
                              const std::int64_t* step) {
  cross_entropy(device_.storage,
                {.classes = network_.classes(),
                 .padded_classes = logits_extent().channels,
                 .smoothing = options_.label_smoothing,
                 .logits = buffers_.back().y,
                 .labels = labels,
                 .logits_gradient = buffers_.back().y_gradient,
                 .losses = losses_.as<float>(),
                 .correct = correct_.as<std::int32_t>()},
                shard, device_.stream.get());
  add_loss(options_.shard_size, losses_.as<float>(), correct_.as<std::int32_t>(), totals, step,
           device_.stream.get());
}

void GpuNetwork::backward(const Queued& queued) {
  std::size_t begin = 0;
  for (std::size_t k = steps_.size(); k-- > 0;) {
    steps_[k]->backward();
    const std::size_t end = gradient_ends_[k];
    if (end > begin) queued(begin, end);
    begin = end;
  }
}

void GpuNetwork::read_logits(float* out, float weight, bool add) {
  cuda::read_logits(device_.storage,
                    {.samples = options_.shard_size,
                     .classes = network_.classes(),
                     .padded_classes = logits_extent().channels,
                     .logits = buffers_.back().y,
                     .weight = weight,
                     .add = add,
                     .out = out},
                    device_.stream.get());
}

}  // namespace whorl::nn::cuda
