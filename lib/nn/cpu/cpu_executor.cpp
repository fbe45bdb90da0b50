// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/cpu_executor.hpp"

#include <omp.h>

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/stopwatch.hpp"
#include "nn/cpu/algorithm_choice.hpp"
#include "nn/cpu/algorithm_plan.hpp"
#include "nn/cpu/buffers.hpp"
#include "nn/cpu/groups.hpp"
#include "nn/cpu/instruction_set.hpp"
#include "nn/cpu/loss.hpp"
#include "nn/cpu/pictures.hpp"
#include "nn/cpu/pool.hpp"
#include "nn/cpu/step.hpp"
#include "nn/cpu/winograd/convolution.hpp"

namespace whorl::nn {

namespace {

using namespace cpu;

/// Keeps oneDNN on the calling thread within a scope.
class OneThread {
 public:
  OneThread() : previous_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(previous_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int previous_;
};

class CpuExecutor : public Executor {
 public:
  CpuExecutor(const Network& network, const CompileOptions& options)
      : network_(network), options_(options), groups_(group_layers(network_)), plan_(options.plan) {
    const OneThread one_thread;
    require(shape_of(network_, groups_.back().output).height == 1 &&
                shape_of(network_, groups_.back().output).width == 1,
            "network {} does not end in logits of one pixel", network_.name);
    engine_ = dnnl::engine(dnnl::engine::kind::cpu, 0);
    block_ = preferred_block(engine_);
    limit_lanes(block_);
    choose_algorithms();
    link_to_convolutions(network_, groups_);
    picture_layout_ = layout_of_pictures();
    pictures_ = std::make_unique<PictureReader>(network_, picture_layout_);
    buffers_ = plan_buffers(network_, groups_, options.shard_size, block_, pictures_->bytes(), memory_);
    make_steps();
  }

  std::string name() const override { return "cpu"; }
  std::string plan() const override { return plan_.text(); }
  std::size_t memory_bytes() const override {
    return memory_.bytes() + workspace_.scratch.bytes() + weight_bytes_;
  }

  void set_parameters(std::span<const float> parameters) override {
    const OneThread one_thread;
    require(parameters.size() == network_.parameters.size(), "{} parameters for network {}, which has {}",
            parameters.size(), network_.name, network_.parameters.size());
    for (const auto& step : steps_) step->set_parameters(parameters.data());
  }

  ShardResult forward_backward(const Shard& shard, std::span<float> gradients,
                               const GradientsReady& ready) override {
    const OneThread one_thread;
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
    const OneThread one_thread;
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

  bool is_convolution(const Group& group) const { return group.kind == Group::Kind::convolution; }

  NeededDirections needed_directions(const Group& group) const {
    const Tensor* weights = network_.parameters.find(group.layer, Role::conv_weight);
    return {.backward_data = group.input_needs_gradient,
            .backward_weights = weights == nullptr || !weights->frozen};
  }

  /// The part of a convolution's output that the pooling behind it covers, if that belongs to it.
  PlaneExtent used_part(int k) const {
    const Shape output = shape_of(network_, groups_[k].output);
    const int behind = only_pointwise_reader(network_, groups_, k);
    if (behind == Group::none || groups_[behind].pool == Group::none)
      return {output.height, output.width, block_};
    const auto& pool = std::get<Pool>(network_.layers[groups_[behind].pool].operation);
    return covered(pool_geometry(pool, output, shape_of(network_, groups_[behind].output), block_));
  }

  /// Winograd convolutions read blocked tensors only.
  bool winograd_takes(const Group& group) const {
    return group.input != network_input && winograd::Convolution::takes(convolution_shape(group));
  }

  void choose_algorithms() {
    for (int k = 0; k < std::ssize(groups_); ++k) {
      Group& group = groups_[k];
      if (!is_convolution(group)) continue;
      const std::string& layer = network_.layers[group.layer].name;
      if (plan_.source() == AlgorithmPlan::Source::record) {
        group.algorithm = plan_.at(layer);
        require(group.algorithm.is_direct() || winograd_takes(group),
                "the plan has {} for layer {}, but only 3x3 convolutions of stride 1 and padding 1 without "
                "bias behind another layer are computed so",
                to_string(group.algorithm), layer);
        continue;
      }
      const ConvolutionShape shape = convolution_shape(group);
      const auto behind = static_cast<int>(std::count_if(
          groups_.begin() + k + 1, groups_.end(), [&](const Group& other) { return is_convolution(other); }));
      if (plan_.source() == AlgorithmPlan::Source::rule && winograd_takes(group))
        group.algorithm = algorithm_by_rule(shape, used_part(k), behind);
      if (plan_.source() == AlgorithmPlan::Source::measurement && winograd_takes(group))
        group.algorithm = algorithm_by_measurement(engine_, shape, blocked(group.input),
                                                   needed_directions(group), used_part(k), behind);
      plan_.set(layer, group.algorithm);
    }
  }

  dnnl::memory::desc blocked(int layer) const {
    const Shape shape = shape_of(network_, layer);
    return blocked_description(options_.shard_size, shape.channels, shape.height, shape.width, block_);
  }

  /// What the direct forward convolution asks for where the pictures go to one convolution only, else
  /// blocked.
  dnnl::memory::desc layout_of_pictures() const {
    const Shape& input = network_.input;
    const auto reads_pictures = [](const Group& g) {
      return g.input == network_input || g.residual == network_input;
    };
    const auto reader = std::find_if(groups_.begin(), groups_.end(), reads_pictures);
    if (std::count_if(groups_.begin(), groups_.end(), reads_pictures) == 1 && is_convolution(*reader)) {
      const auto any = any_layout(options_.shard_size, input.channels, input.height, input.width);
      if (const auto pass =
              ConvolutionPass::create(engine_, convolution_shape(*reader), Direction::forward, any))
        return pass->source();
    }
    return blocked(network_input);
  }

  /// Pointwise groups first: the convolutions beside them hold on to them.
  void make_steps() {
    steps_.resize(groups_.size());
    std::vector<PointwiseStep*> pointwise(groups_.size(), nullptr);
    std::size_t sums = 0;
    for (std::size_t k = 0; k < groups_.size(); ++k) {
      sums = std::max(sums, 2 * std::size_t(buffers_.groups[k].output_shape.planes()) * block_);
      if (groups_[k].kind != Group::Kind::pointwise) continue;
      auto step = make_pointwise_step(network_, groups_[k], buffers_.groups[k], workspace_);
      pointwise[k] = step.get();
      steps_[k] = std::move(step);
    }
    workspace_.sums.resize(sums);
    for (int k = 0; k < std::ssize(groups_); ++k) {
      const Group& group = groups_[k];
      if (group.kind == Group::Kind::average_pool)
        steps_[k] = make_average_pool_step(network_, group, buffers_.groups[k]);
      if (!is_convolution(group)) continue;
      steps_[k] = group.algorithm.is_direct() ? direct_step(k) : winograd_step(k, pointwise);
    }
    workspace_.scratch = HugeBuffer(scratch_bytes_);
  }

  std::unique_ptr<Step> direct_step(int k) {
    const Group& group = groups_[k];
    Convolution convolution(engine_, convolution_shape(group),
                            group.input == network_input ? picture_layout_ : blocked(group.input),
                            needed_directions(group));
    scratch_bytes_ = std::max(scratch_bytes_, convolution.scratch_bytes());
    weight_bytes_ += convolution.bytes();
    return make_convolution_step(network_, group, buffers_.groups[k], std::move(convolution), workspace_);
  }

  std::unique_ptr<Step> winograd_step(int k, const std::vector<PointwiseStep*>& pointwise) {
    PointwiseStep *before = nullptr, *behind = nullptr;
    for (std::size_t other = 0; other < groups_.size(); ++other) {
      if (groups_[other].consumer == k) before = pointwise[other];
      if (groups_[other].producer == k) behind = pointwise[other];
    }
    const PlaneExtent used = used_part(k);
    winograd::Convolution convolution(convolution_shape(groups_[k]), groups_[k].algorithm.tiles, used.rows,
                                      used.columns);
    scratch_bytes_ = std::max(scratch_bytes_, convolution.scratch_bytes());
    weight_bytes_ += convolution.bytes();
    return make_winograd_step(network_, groups_[k], buffers_.groups[k], std::move(convolution), before,
                              behind, workspace_);
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
  dnnl::memory::desc picture_layout_;
  std::unique_ptr<PictureReader> pictures_;
  MemoryPlan memory_;
  ShardBuffers buffers_;
  Workspace workspace_;
  std::size_t scratch_bytes_ = 0, weight_bytes_ = 0;
  std::vector<std::unique_ptr<Step>> steps_;
  PassSeconds seconds_;
};

}  // namespace

std::unique_ptr<Executor> make_cpu_executor(const Network& network, const CompileOptions& options) {
  return std::make_unique<CpuExecutor>(network, options);
}

}  // namespace whorl::nn
