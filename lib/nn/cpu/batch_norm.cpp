// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/batch_norm.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

#include "nn/cpu/groups.hpp"

namespace whorl::nn::cpu {

ChannelNorm::ChannelNorm(const Network& network, int layer, const BlockedShape& shape) : shape_(shape) {
  const std::size_t padded = shape.padded_channels();
  for (std::vector<float>* numbers : {&origin_, &mean_, &scale_, &shift_, &a_, &b_, &c_})
    numbers->assign(padded, 0.0F);
  float factor = 1;
  if (layer != Group::none) {
    changes_gradient_ = true;
    const Operation& operation = network.layers[layer].operation;
    if (const auto* scale = std::get_if<Scale>(&operation)) factor = scale->factor;
    if (const auto* norm = std::get_if<BatchNorm>(&operation)) {
      is_batch_norm_ = true;
      epsilon_ = norm->epsilon;
      scale_slot_ = slot_of(network.parameters, layer, Role::bn_scale);
      shift_slot_ = slot_of(network.parameters, layer, Role::bn_shift);
      mean_slot_ = slot_of(network.parameters, layer, Role::running_mean);
      variance_slot_ = slot_of(network.parameters, layer, Role::running_variance);
      for (std::vector<double>* numbers : {&batch_mean_, &batch_variance_, &inverse_deviation_})
        numbers->assign(shape.sample.channels, 0.0);
    }
  }
  std::fill_n(scale_.begin(), shape.sample.channels, factor);
  a_ = scale_;
}

ChannelNorm::Slot ChannelNorm::slot_of(const ParameterLayout& parameters, int layer, Role role) {
  const Tensor* tensor = parameters.find(layer, role);
  return tensor == nullptr ? Slot{} : Slot{tensor->offset, tensor->count};
}

void ChannelNorm::set_parameters(const float* parameters) {
  if (!is_batch_norm_) return;
  const auto copy = [&](const Slot& slot, float otherwise) {
    if (slot.count == 0) return std::vector<float>(shape_.sample.channels, otherwise);
    return std::vector<float>(parameters + slot.offset, parameters + slot.offset + slot.count);
  };
  gamma_ = copy(scale_slot_, 1);
  beta_ = copy(shift_slot_, 0);
  running_mean_ = copy(mean_slot_, 0);
  running_variance_ = copy(variance_slot_, 1);
}

void ChannelNorm::set_origin(int channel, const float* values) {
  std::copy_n(values, shape_.block, origin_.begin() + channel);
}

void ChannelNorm::set_affine(int channel, double mean, double variance) {
  inverse_deviation_[channel] = 1 / std::sqrt(variance + epsilon_);
  mean_[channel] = static_cast<float>(mean);
  scale_[channel] = static_cast<float>(gamma_[channel] * inverse_deviation_[channel]);
  shift_[channel] = beta_[channel];
}

void ChannelNorm::use_batch_statistics(const std::vector<double>& totals) {
  const double count = static_cast<double>(shape_.images) * shape_.pixels();
  for (int channel = 0; channel < shape_.sample.channels; ++channel) {
    const double difference = totals[channel] / count;
    const double squares = totals[shape_.padded_channels() + channel] / count;
    batch_mean_[channel] = origin_[channel] + difference;
    batch_variance_[channel] = std::max(0.0, squares - difference * difference);
    set_affine(channel, batch_mean_[channel], batch_variance_[channel]);
  }
}

void ChannelNorm::use_running_statistics() {
  if (!is_batch_norm_) return;
  for (int channel = 0; channel < shape_.sample.channels; ++channel)
    set_affine(channel, running_mean_[channel], running_variance_[channel]);
}

void ChannelNorm::add_gradients(const std::vector<double>& totals, float* gradients) {
  if (!is_batch_norm_) return;
  const double count = static_cast<double>(shape_.images) * shape_.pixels();
  const double unbiased = count / std::max(1.0, count - 1);
  for (int channel = 0; channel < shape_.sample.channels; ++channel) {
    const double sum = totals[channel], product = totals[shape_.padded_channels() + channel];
    const double inverse = inverse_deviation_[channel], scale = gamma_[channel] * inverse;
    a_[channel] = static_cast<float>(scale);
    b_[channel] = static_cast<float>(-scale * inverse * inverse * product / count);
    c_[channel] = static_cast<float>(-scale * sum / count);
    if (scale_slot_.count > 0)
      gradients[scale_slot_.offset + channel] += static_cast<float>(product * inverse);
    gradients[shift_slot_.offset + channel] += static_cast<float>(sum);
    gradients[mean_slot_.offset + channel] += static_cast<float>(batch_mean_[channel]);
    gradients[variance_slot_.offset + channel] += static_cast<float>(batch_variance_[channel] * unbiased);
  }
}

}  // namespace whorl::nn::cpu
