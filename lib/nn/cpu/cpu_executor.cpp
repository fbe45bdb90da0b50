// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/cpu_executor.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "nn/cpu/algorithm_plan.hpp"
#include "nn/cpu/buffers.hpp"
#include "nn/cpu/groups.hpp"
#include "nn/cpu/loss.hpp"
#include "nn/cpu/pictures.hpp"
#include "nn/cpu/step.hpp"

namespace whorl::nn {

namespace {

using namespace cpu;

/// OpenMP's and oneDNN's thread count within a scope.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : previous_(omp_get_max_threads()) { omp_set_num_threads(threads); }
  ~ThreadCount() { omp_set_num_threads(previous_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int previous_;
};

/// Adds its lifetime to a sum of seconds.
class Stopwatch {
 public:
  explicit Stopwatch(double& seconds) : seconds_(seconds), start_(Clock::now()) {}
  ~Stopwatch() { seconds_ += std::chrono::duration<double>(Clock::now() - start_).count(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  double& seconds_;
  Clock::time_point start_;
};

class CpuExecutor : public Executor {
 public:
  CpuExecutor(const Network& network, const CompileOptions& options)
      : network_(network), options_(options), groups_(group_layers(network_)), plan_(options.plan) {
    const ThreadCount threads(options.threads);
    require(shape_of(network_, groups_.back().output).height == 1 &&
                shape_of(network_, groups_.back().output).width == 1,
            "network {} does not end in logits of one pixel", network_.name);
    engine_ = dnnl::engine(dnnl::engine::kind::cpu, 0);
    block_ = preferred_block(engine_);
    const dnnl::memory::desc picture_layout = layout_of_pictures();
    pictures_ = std::make_unique<PictureReader>(network_, picture_layout);
    buffers_ = plan_buffers(network_, groups_, options.shard_size, block_, pictures_->bytes(), memory_);
    make_steps(picture_layout);
  }

  std::string name() const override { return "cpu"; }
  std::string plan() const override { return plan_.text(); }
  std::size_t memory_bytes() const override {
    return memory_.bytes() + workspace_.scratch.bytes() + weight_bytes_;
  }

  void set_parameters(std::span<const float> parameters) override {
    const ThreadCount threads(options_.threads);
    require(parameters.size() == network_.parameters.size(), "{} parameters for network {}, which has {}",
            parameters.size(), network_.name, network_.parameters.size());
    for (const auto& step : steps_) step->set_parameters(parameters.data());
  }

  ShardResult forward_backward(const Shard& shard, std::span<float> gradients,
                               const GradientsReady& ready) override {
    const ThreadCount threads(options_.threads);
    require(shard.labels.size() == std::size_t(options_.shard_size) &&
                shard.images.size() == options_.shard_size * network_.input.count(),
            "{} labels and {} bytes of pictures: the network was compiled for shards of {}",
            shard.labels.size(), shard.images.size(), options_.shard_size);
    require(gradients.size() == network_.parameters.size(),
            "{} gradients for network {}, which has {} parameters", gradients.size(), network_.name,
            network_.parameters.size());
    ShardResult result;
    {
      const Stopwatch stopwatch(seconds_.forward);
      forward(shard.images, true);
      result = cross_entropy(buffers_.logits_shape, buffers_.logits, shard.labels, options_.label_smoothing,
                             buffers_.logits_gradient);
    }
    const Stopwatch stopwatch(seconds_.backward);
    backward(gradients, ready);
    return result;
  }

  void infer(std::span<const std::uint8_t> images, std::span<float> logits) override {
    const ThreadCount threads(options_.threads);
    const std::size_t count = images.size() / network_.input.count(), classes = network_.classes();
    require(images.size() == count * network_.input.count() && count <= std::size_t(options_.shard_size) &&
                logits.size() == count * classes,
            "{} bytes of pictures for {} logits: at most {} whole pictures go in", images.size(),
            logits.size(), options_.shard_size);
    forward(images, false);
    for (std::size_t image = 0; image < count; ++image)
      std::copy_n(buffers_.logits + image * buffers_.logits_shape.padded_channels(), classes,
                  logits.begin() + static_cast<std::ptrdiff_t>(image * classes));
  }

  PassSeconds take_pass_seconds() override { return std::exchange(seconds_, {}); }

 private:
  ConvolutionShape convolution_shape(const Group& group) const {
    const Shape input = shape_of(network_, group.input), output = shape_of(network_, group.output);
    ConvolutionShape shape{.images = options_.shard_size,
                           .inputs = input.channels,
                           .input_height = input.height,
                           .input_width = input.width,
                           .filters = output.channels,
                           .output_height = output.height,
                           .output_width = output.width,
                           .kernel_height = input.height,
                           .kernel_width = input.width,
                           .bias = network_.parameters.find(group.layer, Role::bias) != nullptr,
                           .block = block_};
    if (const auto* conv = std::get_if<Conv>(&network_.layers[group.layer].operation)) {
      shape.kernel_height = shape.kernel_width = conv->kernel;
      shape.stride = conv->stride;
      shape.padding = conv->padding;
    }
    return shape;
  }

  /// What the direct forward convolution asks for where the pictures go to one convolution only, else
  /// blocked.
  dnnl::memory::desc layout_of_pictures() const {
    const Shape& input = network_.input;
    const auto reads_pictures = [](const Group& g) {
      return g.input == network_input || g.residual == network_input;
    };
    const auto reader = std::find_if(groups_.begin(), groups_.end(), reads_pictures);
    if (std::count_if(groups_.begin(), groups_.end(), reads_pictures) == 1 &&
        reader->kind == Group::Kind::convolution) {
      const auto any = any_layout(options_.shard_size, input.channels, input.height, input.width);
      if (const auto pass = ConvolutionPass::create(engine_, convolution_shape(*reader), Direction::forward,
                                                    Algorithm::direct, any))
        return pass->source();
    }
    return blocked_description(options_.shard_size, input.channels, input.height, input.width, block_);
  }

  void make_steps(const dnnl::memory::desc& picture_layout) {
    const bool measure = plan_.empty();
    std::size_t scratch_bytes = 0, sums = 0;
    for (std::size_t k = 0; k < groups_.size(); ++k) {
      const Group& group = groups_[k];
      const GroupBuffers& buffers = buffers_.groups[k];
      sums = std::max(sums, 2 * std::size_t(buffers.output_shape.planes()) * block_);
      if (group.kind == Group::Kind::pointwise) {
        steps_.push_back(make_pointwise_step(network_, group, buffers, workspace_));
      } else if (group.kind == Group::Kind::average_pool) {
        steps_.push_back(make_average_pool_step(network_, group, buffers));
      } else {
        Convolution convolution = make_convolution(group, buffers, picture_layout, measure);
        scratch_bytes = std::max(scratch_bytes, convolution.scratch_bytes());
        weight_bytes_ += convolution.bytes();
        steps_.push_back(make_convolution_step(network_, group, buffers, std::move(convolution), workspace_));
      }
    }
    workspace_.scratch = HugeBuffer(scratch_bytes);
    workspace_.sums.resize(sums);
  }

  Convolution make_convolution(const Group& group, const GroupBuffers& buffers,
                               const dnnl::memory::desc& picture_layout, bool measure) {
    const Shape& input = buffers.input_shape.sample;
    const ConvolutionShape shape = convolution_shape(group);
    const dnnl::memory::desc source =
        group.input == network_input
            ? picture_layout
            : blocked_description(options_.shard_size, input.channels, input.height, input.width, block_);
    const Tensor* weights = network_.parameters.find(group.layer, Role::conv_weight);
    const NeededDirections needed{.backward_data = group.input_needs_gradient,
                                  .backward_weights = weights == nullptr || !weights->frozen};
    const std::string& layer = network_.layers[group.layer].name;
    if (measure) plan_.set(layer, fastest_algorithms(engine_, shape, source, needed));
    return Convolution(engine_, shape, source, needed, plan_.at(layer));
  }

  void forward(std::span<const std::uint8_t> images, bool training) {
    pictures_->read(images, buffers_.pictures);
    for (const auto& step : steps_) step->forward(training);
  }

  /// Behind group k all layers above the output of group k - 1 are done.
  void backward(std::span<float> gradients, const GradientsReady& ready) {
    std::size_t reported = 0;
    for (int k = static_cast<int>(steps_.size()) - 1; k >= 0; --k) {
      if (groups_[k].needs_gradient) steps_[k]->backward(gradients.data());
      const std::size_t end = network_.parameters.end_of(k == 0 ? 0 : groups_[k - 1].output + 1);
      if (ready && end > reported) ready(end);
      reported = std::max(reported, end);
    }
  }

  Network network_;
  CompileOptions options_;
  std::vector<Group> groups_;
  AlgorithmPlan plan_;
  dnnl::engine engine_;
  int block_ = 16;
  std::unique_ptr<PictureReader> pictures_;
  MemoryPlan memory_;
  ShardBuffers buffers_;
  Workspace workspace_;
  std::size_t weight_bytes_ = 0;
  std::vector<std::unique_ptr<Step>> steps_;
  PassSeconds seconds_;
};

}  // namespace

std::unique_ptr<Executor> make_cpu_executor(const Network& network, const CompileOptions& options) {
  return std::make_unique<CpuExecutor>(network, options);
}

}  // namespace whorl::nn
