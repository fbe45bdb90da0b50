// SPDX-License-Identifier: BSD-3-Clause
#include "nn/reference/reference_executor.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/error.hpp"
#include "nn/reference/reference_network.hpp"

namespace whorl::nn {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// uint8 (n, H, W, 3) to normalised (n, 3, H, W).
reference::Maps normalised(std::span<const std::uint8_t> images, Shape shape,
                           const Normalisation& normalisation) {
  reference::Maps maps(static_cast<int>(images.size() / shape.count()), shape);
  const std::size_t pixels = maps.plane_size();
  for (int n = 0; n < maps.samples; ++n) {
    for (int c = 0; c < shape.channels; ++c) {
      const double mean = normalisation.mean[c], deviation = normalisation.deviation[c];
      double* plane = maps.plane(n, c);
      for (std::size_t i = 0; i < pixels; ++i) {
        plane[i] = (images[(n * pixels + i) * shape.channels + c] / 255.0 - mean) / deviation;
      }
    }
  }
  return maps;
}

class ReferenceExecutor final : public Executor {
 public:
  ReferenceExecutor(const Network& network, const CompileOptions& options)
      : net_(network), options_(options), gradients_(network.parameters.size()) {}

  std::string name() const override { return "reference"; }

  std::size_t memory_bytes() const override {
    std::size_t values = 2 * gradients_.size();
    for (const Layer& layer : net_.network().layers) values += options_.shard_size * layer.output.count();
    return values * sizeof(double);
  }

  void set_parameters(std::span<const float> parameters) override {
    require_arena(parameters.size());
    std::copy(parameters.begin(), parameters.end(), net_.parameters().begin());
  }

  ShardResult forward_backward(const Shard& shard, std::span<float> gradients,
                               const GradientsReady& ready) override {
    require_arena(gradients.size());
    const std::size_t pictures = shard.images.size() / network().input.count();
    require(shard.labels.size() == pictures && pictures == std::size_t(options_.shard_size),
            "a shard of {} pictures and {} labels, but the executor was compiled for {}", pictures,
            shard.labels.size(), options_.shard_size);
    const auto forward_start = Clock::now();
    const reference::Maps& logits =
        net_.forward(normalised(shard.images, network().input, network().normalisation), true);
    reference::Maps logits_gradient(logits.samples, logits.shape);
    const ShardResult result = reference::softmax_cross_entropy(
        logits, shard.labels, double(options_.label_smoothing), logits_gradient);
    seconds_.forward += seconds_since(forward_start);

    const auto backward_start = Clock::now();
    std::fill(gradients_.begin(), gradients_.end(), 0.0);
    std::size_t begin = 0;
    net_.backward(std::move(logits_gradient), gradients_, [&](int layer) {
      const std::size_t end = network().parameters.end_of(layer);
      if (end == begin) return;
      for (; begin < end; ++begin) gradients[begin] += static_cast<float>(gradients_[begin]);
      if (ready) ready(end);
    });
    seconds_.backward += seconds_since(backward_start);
    return result;
  }

  void infer(std::span<const std::uint8_t> images, std::span<float> logits) override {
    const std::size_t pictures = images.size() / network().input.count();
    require(pictures <= std::size_t(options_.shard_size) && logits.size() == pictures * network().classes(),
            "{} pictures and room for {} logits, but the executor was compiled for {} pictures of {} classes",
            pictures, logits.size(), options_.shard_size, network().classes());
    const reference::Maps& result =
        net_.forward(normalised(images, network().input, network().normalisation), false);
    std::transform(result.values.begin(), result.values.end(), logits.begin(),
                   [](double value) { return static_cast<float>(value); });
  }

  PassSeconds take_pass_seconds() override { return std::exchange(seconds_, {}); }

 private:
  const Network& network() const { return net_.network(); }

  void require_arena(std::size_t size) const {
    require(size == network().parameters.size(), "an arena of {} floats, but network {} has {}", size,
            network().name, network().parameters.size());
  }

  reference::ReferenceNetwork net_;
  CompileOptions options_;
  std::vector<double> gradients_;  ///< of one shard
  PassSeconds seconds_;
};

}  // namespace

std::unique_ptr<Executor> make_reference_executor(const Network& network, const CompileOptions& options) {
  return std::make_unique<ReferenceExecutor>(network, options);
}

}  // namespace whorl::nn
