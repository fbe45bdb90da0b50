// SPDX-License-Identifier: BSD-3-Clause
#include "train/update_rules.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.hpp"

namespace whorl::train {

namespace {

using Rule = Update::Rule;

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

bool is_statistic(const nn::Tensor& tensor) {
  return tensor.role == nn::Role::running_mean || tensor.role == nn::Role::running_variance;
}

Rule choose_rule(const nn::Tensor& tensor, const nn::Layer& layer, const OptimizerOptions& options) {
  if (is_statistic(tensor)) return Rule::running_statistic;
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

UpdateRules::UpdateRules(const nn::Network& network, OptimizerOptions options, std::int64_t total_steps,
                         std::int64_t steps_per_epoch)
    : options_(std::move(options)), total_steps_(total_steps) {
  check(options_);
  whitening_steps_ =
      std::llround(std::ceil(options_.whitening_bias_epochs * static_cast<double>(steps_per_epoch)));
  for (const nn::Tensor& tensor : network.parameters.tensors()) {
    if (tensor.frozen && !is_statistic(tensor)) continue;
    updates_.push_back(make_update(tensor, network.layers[static_cast<std::size_t>(tensor.layer)], options_));
  }
}

std::optional<UpdateCoefficients> UpdateRules::coefficients(const Update& update, const Step& step) const {
  if (update.rule == Rule::running_statistic) {
    return UpdateCoefficients{.gradient_scale = update.statistic_momentum / static_cast<float>(step.shards),
                              .keep = 1.0F - update.statistic_momentum,
                              .rate = -1};
  }
  double rate = update.rate * step.factor;
  if (update.rule == Rule::whitening_bias) {
    if (step.number >= whitening_steps_) return std::nullopt;
    rate = update.rate * (1.0 - static_cast<double>(step.number) / static_cast<double>(whitening_steps_));
  }
  UpdateCoefficients with{
      .gradient_scale =
          options_.loss == "mean" ? static_cast<float>(1.0 / static_cast<double>(step.batch)) : 1.0F,
      .momentum = static_cast<float>(update.rule == Rule::muon ? options_.muon_momentum : options_.momentum),
      .rate = static_cast<float>(rate)};
  if (update.rule == Rule::muon || !update.decays) return with;
  const double decay = options_.weight_decay;
  if (options_.decay == "coupled") with.coupled_decay = static_cast<float>(decay);
  if (options_.decay == "coupled-by-rate" && update.rate > 0)
    with.coupled_decay = static_cast<float>(decay / update.rate);
  if (options_.decay == "decoupled") with.keep = static_cast<float>(1.0 - rate * decay);
  return with;
}

float UpdateRules::look_ahead_weight(std::int64_t step) const {
  const std::int64_t every = options_.lookahead_every, done = step + 1;
  const bool follows = every > 0 && (done == total_steps_ || done % every == 0);
  return follows ? static_cast<float>(options_.lookahead_factor) : 0;
}

}  // namespace whorl::train
