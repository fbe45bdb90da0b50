// SPDX-License-Identifier: BSD-3-Clause
#include "train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.hpp"
#include "base/simd.hpp"
#include "train/muon.hpp"

namespace whorl::train {

namespace {

enum class Rule { none, running_statistic, sgd, whitening_bias, muon };

/// How one tensor of the arena is updated.
struct Update {
  Rule rule = Rule::none;
  std::size_t offset = 0, count = 0;
  double rate = 0;  // base learning rate
  bool decays = false;
  float statistic_momentum = 0;
  int rows = 0, columns = 0;  // of the Muon matrix
};

struct SgdCoefficients {
  float gradient_scale, coupled_decay, keep, momentum, rate;
};

WHORL_SIMD_CLONES void sgd_update(float* parameters, const float* gradients, float* buffer, std::size_t count,
                                  const SgdCoefficients& with) {
  const SgdCoefficients w = with;
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

void require_word(const char* option, const std::string& word,
                  std::initializer_list<std::string_view> words) {
  if (std::find(words.begin(), words.end(), word) != words.end()) return;
  std::string list;
  for (const std::string_view known : words) list += (list.empty() ? "" : ", ") + std::string(known);
  throw UsageError(fmt::format("optimizer: {} cannot be \"{}\"; it is one of {}", option, word, list));
}

void require_range(const char* option, double value, double low, double high) {
  if (!(value >= low && value <= high))
    throw UsageError(fmt::format("optimizer: {} is {}, it must lie in [{}, {}]", option, value, low, high));
}

void check(const OptimizerOptions& options) {
  constexpr double large = 1e9;
  require_word("kind", options.kind, {"sgd", "muon"});
  require_word("loss", options.loss, {"mean", "sum"});
  require_word("decay", options.decay, {"coupled", "decoupled", "coupled-by-rate"});
  require_range("learning rate", options.learning_rate, 0, large);
  require_range("learning rate of biases", options.bias_learning_rate, 0, large);
  require_range("learning rate of the head", options.head_learning_rate, 0, large);
  require_range("momentum", options.momentum, 0, 1);
  require_range("weight decay", options.weight_decay, 0, large);
  require_range("learning rate of Muon", options.muon_learning_rate, 0, large);
  require_range("momentum of Muon", options.muon_momentum, 0, 1);
  require_range("number of Newton-Schulz iterations", options.muon_iterations, 1, 100);
  require_range("period of Lookahead", options.lookahead_every, 0, large);
  require_range("factor of Lookahead", options.lookahead_factor, 0, 1);
}

double or_default(double rate, double fallback) {
  return rate > 0 ? rate : fallback;
}

bool is_weight(nn::Role role) {
  return role == nn::Role::conv_weight || role == nn::Role::linear_weight;
}

bool is_whitening_bias(const nn::Layer& layer, nn::Role role) {
  const auto* convolution = std::get_if<nn::Conv>(&layer.operation);
  return role == nn::Role::bias && convolution != nullptr && convolution->init == nn::Init::whitening;
}

Rule choose_rule(const nn::Tensor& tensor, const nn::Layer& layer, const OptimizerOptions& options) {
  if (tensor.role == nn::Role::running_mean || tensor.role == nn::Role::running_variance)
    return Rule::running_statistic;
  if (tensor.frozen) return Rule::none;
  if (options.whitening_bias_epochs >= 0 && is_whitening_bias(layer, tensor.role))
    return Rule::whitening_bias;
  const bool spatial = tensor.role == nn::Role::conv_weight && tensor.shape[2] > 1;
  return options.kind == "muon" && spatial ? Rule::muon : Rule::sgd;
}

Update make_update(const nn::Tensor& tensor, const nn::Layer& layer, const OptimizerOptions& options) {
  Update update;
  update.rule = choose_rule(tensor, layer, options);
  update.offset = tensor.offset;
  update.count = tensor.count;
  update.decays = is_weight(tensor.role) || options.decay_bias;
  if (update.rule == Rule::muon) {
    update.rate = options.muon_learning_rate;
    update.rows = tensor.shape[0];
    update.columns = static_cast<int>(tensor.count) / tensor.shape[0];
  } else if (tensor.role == nn::Role::linear_weight) {
    update.rate = or_default(options.head_learning_rate, options.learning_rate);
  } else {
    update.rate = is_weight(tensor.role) ? options.learning_rate
                                         : or_default(options.bias_learning_rate, options.learning_rate);
  }
  if (update.rule == Rule::running_statistic)
    update.statistic_momentum = std::get<nn::BatchNorm>(layer.operation).momentum;
  return update;
}

}  // namespace

struct Optimizer::Impl {
  OptimizerOptions options;
  std::int64_t total_steps, whitening_steps;
  std::int64_t steps = 0;  // done
  std::vector<Update> updates;
  std::vector<Update> muon_updates;
  std::vector<Orthogonaliser> orthogonalisers;  // one for each of muon_updates
  State state;

  void sgd(const Update& update, std::span<float> parameters, const float* gradients, double rate,
           float gradient_scale);
  void muon(std::size_t index, std::span<float> parameters, const float* gradients, double factor,
            float gradient_scale);
  void all_muon(std::span<float> parameters, const float* gradients, double factor, float gradient_scale);
  void look_ahead(std::span<float> parameters);
};

Optimizer::Optimizer(const nn::Network& network, OptimizerOptions options, std::int64_t total_steps,
                     std::int64_t steps_per_epoch)
    : impl_(std::make_unique<Impl>()) {
  check(options);
  impl_->total_steps = total_steps;
  impl_->whitening_steps =
      std::llround(std::ceil(options.whitening_bias_epochs * static_cast<double>(steps_per_epoch)));
  for (const nn::Tensor& tensor : network.parameters.tensors()) {
    const Update update =
        make_update(tensor, network.layers[static_cast<std::size_t>(tensor.layer)], options);
    if (update.rule == Rule::muon) {
      impl_->muon_updates.push_back(update);
      impl_->orthogonalisers.emplace_back(update.rows, update.columns, options.muon_iterations);
    } else if (update.rule != Rule::none) {
      impl_->updates.push_back(update);
    }
  }
  impl_->state.momentum.resize(network.parameters.size());
  impl_->options = std::move(options);
}

Optimizer::~Optimizer() = default;

void Optimizer::step(std::span<float> parameters, std::span<const float> gradients, double factor, int shards,
                     std::int64_t batch) {
  Impl& self = *impl_;
  const std::size_t size = self.state.momentum.size();
  require(parameters.size() == size && gradients.size() == size,
          "the network has {} parameters; step() got {} and {} gradients", size, parameters.size(),
          gradients.size());
  if (self.options.lookahead_every > 0 && self.steps == 0)
    self.state.slow_weights.assign(parameters.begin(), parameters.end());
  const float gradient_scale =
      self.options.loss == "mean" ? static_cast<float>(1.0 / static_cast<double>(batch)) : 1.0F;
  for (const Update& update : self.updates) {
    if (update.rule == Rule::running_statistic) {
      blend(&parameters[update.offset], 1.0F - update.statistic_momentum, &gradients[update.offset],
            update.statistic_momentum / static_cast<float>(shards), update.count);
    } else if (update.rule == Rule::sgd) {
      self.sgd(update, parameters, gradients.data(), update.rate * factor, gradient_scale);
    } else if (self.steps < self.whitening_steps) {
      const double remaining =
          1.0 - static_cast<double>(self.steps) / static_cast<double>(self.whitening_steps);
      self.sgd(update, parameters, gradients.data(), update.rate * remaining, gradient_scale);
    }
  }
  self.all_muon(parameters, gradients.data(), factor, gradient_scale);
  ++self.steps;
  const bool is_last = self.steps == self.total_steps;
  if (!self.state.slow_weights.empty() && (is_last || self.steps % self.options.lookahead_every == 0))
    self.look_ahead(parameters);
}

void Optimizer::finish(std::span<float> parameters) {
  std::copy(impl_->state.slow_weights.begin(), impl_->state.slow_weights.end(), parameters.begin());
}

const Optimizer::State& Optimizer::state() const {
  return impl_->state;
}

void Optimizer::restore(std::int64_t steps, State state) {
  const std::size_t size = impl_->state.momentum.size();
  const bool has_slow = impl_->options.lookahead_every > 0 && steps > 0;
  require(state.momentum.size() == size && state.slow_weights.size() == (has_slow ? size : 0),
          "an optimizer of {} parameters cannot go on with {} of momentum and {} of Lookahead", size,
          state.momentum.size(), state.slow_weights.size());
  impl_->steps = steps;
  impl_->state = std::move(state);
}

void Optimizer::Impl::sgd(const Update& update, std::span<float> parameters, const float* gradients,
                          double rate, float gradient_scale) {
  const double decay = update.decays ? options.weight_decay : 0.0;
  double coupled = 0;
  double keep = 1;
  if (options.decay == "coupled") coupled = decay;
  if (options.decay == "coupled-by-rate" && update.rate > 0) coupled = decay / update.rate;
  if (options.decay == "decoupled") keep = 1.0 - rate * decay;
  sgd_update(&parameters[update.offset], gradients + update.offset, &state.momentum[update.offset],
             update.count,
             {gradient_scale, static_cast<float>(coupled), static_cast<float>(keep),
              static_cast<float>(options.momentum), static_cast<float>(rate)});
}

// Each matrix is one thread's work, so that the bits do not depend on the number of threads.
void Optimizer::Impl::all_muon(std::span<float> parameters, const float* gradients, double factor,
                               float gradient_scale) {
  std::exception_ptr failure;  // must not leave the parallel region by itself
#pragma omp parallel for schedule(dynamic)
  for (std::size_t i = 0; i < muon_updates.size(); ++i) {
    try {
      muon(i, parameters, gradients, factor, gradient_scale);
    } catch (...) {
#pragma omp critical
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

void Optimizer::Impl::muon(std::size_t index, std::span<float> parameters, const float* gradients,
                           double factor, float gradient_scale) {
  const Update& update = muon_updates[index];
  Orthogonaliser& orthogonaliser = orthogonalisers[index];
  nesterov_direction(gradients + update.offset, &state.momentum[update.offset],
                     orthogonaliser.matrix().data(), update.count, gradient_scale,
                     static_cast<float>(options.muon_momentum));
  orthogonaliser.run();
  const std::span<float> weights = parameters.subspan(update.offset, update.count);
  const auto keep = static_cast<float>(std::sqrt(static_cast<double>(update.rows)) / norm(weights));
  blend(weights.data(), keep, orthogonaliser.matrix().data(), static_cast<float>(-update.rate * factor),
        update.count);
}

void Optimizer::Impl::look_ahead(std::span<float> parameters) {
  const auto weight = static_cast<float>(options.lookahead_factor);
  std::vector<float>& slow = state.slow_weights;
  blend(slow.data(), 1.0F - weight, parameters.data(), weight, slow.size());
  std::copy(slow.begin(), slow.end(), parameters.begin());
}

}  // namespace whorl::train
