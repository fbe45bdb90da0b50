// SPDX-License-Identifier: BSD-3-Clause
#include "train/cuda/gpu_optimizer.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "gpu/copies.hpp"

namespace whorl::train {

namespace {

using nn::cuda::MuonMatrix;
using nn::cuda::UpdateRule;
using Rule = Update::Rule;

bool follow_one_rule(const Update& a, const Update& b) {
  return a.rule == b.rule && a.rate == b.rate && a.decays == b.decays &&
         a.statistic_momentum == b.statistic_momentum;
}

UpdateRule row_of(const std::optional<UpdateCoefficients>& with) {
  if (!with) return {.gradient_scale = 0, .coupled_decay = 0, .keep = 1, .momentum = 1, .rate = 0};
  return {with->gradient_scale, with->coupled_decay, with->keep, with->momentum, with->rate};
}

/// Tensors start at multiples of so many floats: those between share a rule.
constexpr std::size_t group_floats = 16;

}  // namespace

GpuOptimizer::GpuOptimizer(const Training& training, nn::cuda::Device& device)
    : training_(training),
      device_(device),
      stream_(device.stream),
      rules_(training.network, training.job.optimizer, training.total_steps, training.plan.steps),
      momentum_(device.parameters.bytes(), "momentum") {
  assign_rules();
  const auto steps = static_cast<std::size_t>(training.plan.steps);
  table_ = gpu::DeviceMemory(steps * columns_.size() * sizeof(UpdateRule), "learning rates");
  look_ahead_weights_ = gpu::DeviceMemory(steps * sizeof(float), "Lookahead's weights");
  if (rules_.options().lookahead_every > 0)
    slow_weights_ = gpu::DeviceMemory(device.parameters.bytes(), "Lookahead's slow weights");
  if (muon_column_ >= 0) prepare_muon();
}

void GpuOptimizer::assign_rules() {
  std::vector<std::uint8_t> groups(static_cast<std::size_t>(floats()) / group_floats, nn::cuda::no_rule);
  for (const Update& update : rules_.updates()) {
    auto column =
        std::ranges::find_if(columns_, [&](const Update& each) { return follow_one_rule(each, update); });
    if (column == columns_.end()) column = columns_.insert(column, update);
    const auto number = static_cast<int>(column - columns_.begin());
    require(number < nn::cuda::no_rule, "the network's tensors follow {} rules, more than a GPU's table has",
            number + 1);
    if (update.rule == Rule::muon) {
      muon_column_ = number;
      continue;
    }
    const std::size_t first = update.offset / group_floats;
    const std::size_t count = (update.count + group_floats - 1) / group_floats;
    std::fill_n(&groups[first], count, static_cast<std::uint8_t>(number));
  }
  rule_of_group_ = gpu::DeviceMemory(groups.size(), "rules");
  gpu::upload<std::uint8_t>(groups, rule_of_group_.as<std::uint8_t>(), stream_);
}

void GpuOptimizer::prepare_muon() {
  std::vector<MuonMatrix> matrices;
  for (const Update& update : rules_.updates()) {
    if (update.rule == Rule::muon)
      matrices.push_back({static_cast<std::int64_t>(update.offset), update.rows, update.columns});
  }
  matrix_count_ = static_cast<int>(matrices.size());
  matrices_ = gpu::DeviceMemory(matrices.size() * sizeof(MuonMatrix), "Muon's matrices");
  gpu::upload<MuonMatrix>(matrices, matrices_.as<MuonMatrix>(), stream_);
  direction_ = gpu::DeviceMemory(device_.parameters.bytes(), "Muon's directions");
  partials_ =
      gpu::DeviceMemory(nn::cuda::muon_partials_floats(matrix_count_) * sizeof(float), "Muon's norms");
  newton_schulz_.emplace(matrices, static_cast<std::size_t>(floats()),
                         nn::precision_of(training_.job.parallel.precision), rules_.options().muon_iterations,
                         stream_);
}

void GpuOptimizer::begin_epoch(std::uint32_t epoch) {
  std::vector<UpdateRule> rows;
  std::vector<float> weights;
  const std::int64_t first = epoch * training_.plan.steps;
  for (std::int64_t step = first; step < first + training_.plan.steps; ++step) {
    for (const Update& column : columns_) {
      rows.push_back(row_of(rules_.coefficients(column, {.number = step,
                                                         .factor = training_.schedule.factor(step),
                                                         .shards = training_.plan.shards_per_batch,
                                                         .batch = training_.plan.batch()})));
    }
    weights.push_back(rules_.look_ahead_weight(step));
  }
  gpu::upload<UpdateRule>(rows, table_.as<UpdateRule>(), stream_);
  gpu::upload<float>(weights, look_ahead_weights_.as<float>(), stream_);
}

nn::cuda::RuleTable GpuOptimizer::table(const std::int64_t* step) const {
  return {table_.as<UpdateRule>(), static_cast<int>(columns_.size()), step};
}

void GpuOptimizer::queue_step(const float* gradients, const std::int64_t* step) {
  auto* const parameters = device_.parameters.as<float>();
  nn::cuda::update_arena({.floats = floats(),
                          .parameters = parameters,
                          .gradients = gradients,
                          .buffer = momentum_.as<float>(),
                          .rule_of_group = rule_of_group_.as<std::uint8_t>(),
                          .table = table(step)},
                         stream_.get());
  if (newton_schulz_) {
    const nn::cuda::Muon muon{.matrices = matrices_.as<MuonMatrix>(),
                              .count = matrix_count_,
                              .parameters = parameters,
                              .gradients = gradients,
                              .buffer = momentum_.as<float>(),
                              .direction = direction_.as<float>(),
                              .partials = partials_.as<float>(),
                              .table = table(step),
                              .rule = muon_column_};
    muon_direction(muon, stream_.get());
    muon_normalise(newton_schulz_->storage(), muon, newton_schulz_->input(), stream_.get());
    muon_apply(newton_schulz_->storage(), muon, newton_schulz_->run(), stream_.get());
  }
  if (slow_weights_.bytes() > 0)
    nn::cuda::look_ahead(floats(), parameters, slow_weights_.as<float>(), look_ahead_weights_.as<float>(),
                         step, stream_.get());
}

Optimizer::State GpuOptimizer::state(std::int64_t steps) {
  const auto size = static_cast<std::size_t>(floats());
  Optimizer::State state{.momentum = gpu::download(momentum_.as<float>(), size, stream_), .slow_weights = {}};
  if (slow_weights_.bytes() > 0 && steps > 0)
    state.slow_weights = gpu::download(slow_weights_.as<float>(), size, stream_);
  return state;
}

void GpuOptimizer::restore(std::int64_t steps, const Optimizer::State& state) {
  const auto size = static_cast<std::size_t>(floats());
  const bool has_slow = slow_weights_.bytes() > 0 && steps > 0;
  require(state.momentum.size() == size && state.slow_weights.size() == (has_slow ? size : 0),
          "an optimizer of {} parameters cannot go on with {} of momentum and {} of Lookahead", size,
          state.momentum.size(), state.slow_weights.size());
  gpu::upload<float>(state.momentum, momentum_.as<float>(), stream_);
  if (has_slow) {
    gpu::upload<float>(state.slow_weights, slow_weights_.as<float>(), stream_);
  } else if (slow_weights_.bytes() > 0) {
    gpu::check(cudaMemcpyAsync(slow_weights_.data(), device_.parameters.data(), slow_weights_.bytes(),
                               cudaMemcpyDeviceToDevice, stream_.get()),
               "cudaMemcpyAsync");
  }
}

}  // namespace whorl::train
