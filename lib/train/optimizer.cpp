// SPDX-License-Identifier: BSD-3-Clause
#include "train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "base/simd.hpp"
#include "train/muon.hpp"
#include "train/update_rules.hpp"

namespace whorl::train {

namespace {

using Rule = Update::Rule;

WHORL_SIMD_CLONES void sgd_update(float* parameters, const float* gradients, float* buffer, std::size_t count,
                                  const UpdateCoefficients& with) {
  const UpdateCoefficients w = with;
  for (std::size_t i = 0; i < count; ++i) {
    const float gradient = w.gradient_scale * gradients[i] + w.coupled_decay * parameters[i];
    buffer[i] = w.momentum * buffer[i] + gradient;
    parameters[i] = w.keep * parameters[i] - w.rate * (gradient + w.momentum * buffer[i]);
  }
}

/// direction = gradient + momentum * buffer, after the buffer has taken up the gradient.
WHORL_SIMD_CLONES void nesterov_direction(const float* gradients, float* buffer, float* direction,
                                          std::size_t count, float gradient_scale, float momentum) {
  for (std::size_t i = 0; i < count; ++i) {
    const float gradient = gradient_scale * gradients[i];
    buffer[i] = momentum * buffer[i] + gradient;
    direction[i] = gradient + momentum * buffer[i];
  }
}

/// values = keep * values + weight * other.
WHORL_SIMD_CLONES void blend(float* values, float keep, const float* other, float weight, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) values[i] = keep * values[i] + weight * other[i];
}

/// Which of `ranks` makes which matrix orthogonal, so that all have about as much to do: the costliest first,
/// each for the rank that has least. Empty where each had better make all: broadcasts cost something, too.
std::vector<int> share_out(const std::vector<Update>& matrices, int ranks) {
  std::vector<double> flop;  // nearly all of it: two products with the large matrix
  for (const Update& matrix : matrices)
    flop.push_back(4.0 * matrix.rows * matrix.columns * std::min(matrix.rows, matrix.columns));
  constexpr double worth_sharing = 2e8;  // some milliseconds
  if (ranks == 1 || std::accumulate(flop.begin(), flop.end(), 0.0) < worth_sharing) return {};
  std::vector<std::size_t> order(matrices.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return flop[i] > flop[j]; });
  std::vector<int> owners(matrices.size());
  std::vector<double> load(static_cast<std::size_t>(ranks));
  for (const std::size_t i : order) {
    const auto least = std::min_element(load.begin(), load.end());
    owners[i] = static_cast<int>(least - load.begin());
    *least += flop[i];
  }
  return owners;
}

}  // namespace

struct Optimizer::Impl {
  UpdateRules rules;
  const mpi::Communicator* node = nullptr;
  std::int64_t steps = 0;  // done
  std::vector<Update> muon_updates{};
  std::vector<Orthogonaliser> orthogonalisers{};  // one for each of muon_updates
  std::vector<int> owners{};                      // ranks of the node, the same; empty: each makes all
  State state{};

  void update(const Update& update, const UpdateCoefficients& with, float* parameters,
              const float* gradients);
  bool is_mine(std::size_t index) const { return owners.empty() || owners[index] == node->rank(); }
  void muon(std::size_t index, const UpdateRules::Step& step, std::span<float> parameters,
            const float* gradients);
  void all_muon(const UpdateRules::Step& step, std::span<float> parameters, const float* gradients);
  void look_ahead(float weight, std::span<float> parameters);
};

Optimizer::Optimizer(const nn::Network& network, OptimizerOptions options, std::int64_t total_steps,
                     std::int64_t steps_per_epoch, const mpi::Communicator* node)
    : impl_(new Impl{.rules = {network, std::move(options), total_steps, steps_per_epoch}, .node = node}) {
  for (const Update& update : impl_->rules.updates()) {
    if (update.rule != Rule::muon) continue;
    impl_->muon_updates.push_back(update);
    impl_->orthogonalisers.emplace_back(update.rows, update.columns, impl_->rules.options().muon_iterations);
  }
  if (node != nullptr) impl_->owners = share_out(impl_->muon_updates, node->size());
  impl_->state.momentum.resize(network.parameters.size());
}

Optimizer::~Optimizer() = default;

void Optimizer::step(std::span<float> parameters, std::span<const float> gradients, double factor, int shards,
                     std::int64_t batch) {
  Impl& self = *impl_;
  const std::size_t size = self.state.momentum.size();
  require(parameters.size() == size && gradients.size() == size,
          "the network has {} parameters; step() got {} and {} gradients", size, parameters.size(),
          gradients.size());
  if (self.rules.options().lookahead_every > 0 && self.steps == 0)
    self.state.slow_weights.assign(parameters.begin(), parameters.end());
  const UpdateRules::Step step{self.steps, factor, shards, batch};
  for (const Update& update : self.rules.updates()) {
    if (update.rule == Rule::muon) continue;
    if (const auto with = self.rules.coefficients(update, step))
      self.update(update, *with, parameters.data(), gradients.data());
  }
  self.all_muon(step, parameters, gradients.data());
  const float weight = self.rules.look_ahead_weight(self.steps);
  if (weight > 0) self.look_ahead(weight, parameters);
  ++self.steps;
}

const Optimizer::State& Optimizer::state() const {
  return impl_->state;
}

void Optimizer::restore(std::int64_t steps, State state) {
  const std::size_t size = impl_->state.momentum.size();
  const bool has_slow = impl_->rules.options().lookahead_every > 0 && steps > 0;
  require(state.momentum.size() == size && state.slow_weights.size() == (has_slow ? size : 0),
          "an optimizer of {} parameters cannot go on with {} of momentum and {} of Lookahead", size,
          state.momentum.size(), state.slow_weights.size());
  impl_->steps = steps;
  impl_->state = std::move(state);
}

void Optimizer::Impl::update(const Update& update, const UpdateCoefficients& with, float* parameters,
                             const float* gradients) {
  if (update.rule == Rule::running_statistic) {
    blend(parameters + update.offset, with.keep, gradients + update.offset, with.gradient_scale,
          update.count);
  } else {
    sgd_update(parameters + update.offset, gradients + update.offset, &state.momentum[update.offset],
               update.count, with);
  }
}

// Each matrix is one thread's work on one rank, so that the bits do not depend on the number of either.
void Optimizer::Impl::all_muon(const UpdateRules::Step& step, std::span<float> parameters,
                               const float* gradients) {
  std::exception_ptr failure;  // must not leave the parallel region by itself
#pragma omp parallel for schedule(dynamic)
  for (std::size_t i = 0; i < muon_updates.size(); ++i) {
    try {
      muon(i, step, parameters, gradients);
    } catch (...) {
#pragma omp critical
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
  for (std::size_t i = 0; i < owners.size(); ++i)
    node->broadcast(parameters.subspan(muon_updates[i].offset, muon_updates[i].count), owners[i]);
}

void Optimizer::Impl::muon(std::size_t index, const UpdateRules::Step& step, std::span<float> parameters,
                           const float* gradients) {
  const Update& update = muon_updates[index];
  const UpdateCoefficients with = rules.coefficients(update, step).value();
  Orthogonaliser& orthogonaliser = orthogonalisers[index];
  nesterov_direction(gradients + update.offset, &state.momentum[update.offset],
                     orthogonaliser.matrix().data(), update.count, with.gradient_scale, with.momentum);
  if (!is_mine(index)) return;  // its momentum is every rank's
  orthogonaliser.run();
  const std::span<float> weights = parameters.subspan(update.offset, update.count);
  const auto keep = static_cast<float>(std::sqrt(static_cast<double>(update.rows)) / norm(weights));
  blend(weights.data(), keep, orthogonaliser.matrix().data(), -with.rate, update.count);
}

void Optimizer::Impl::look_ahead(float weight, std::span<float> parameters) {
  std::vector<float>& slow = state.slow_weights;
  blend(slow.data(), 1.0F - weight, parameters.data(), weight, slow.size());
  std::copy(slow.begin(), slow.end(), parameters.begin());
}

}  // namespace whorl::train
