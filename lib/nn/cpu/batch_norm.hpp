// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "nn/cpu/blocked_tensor.hpp"
#include "nn/cpu/pointwise.hpp"
#include "nn/network.hpp"

namespace whorl::nn::cpu {

/// The norm of a pointwise group as numbers per channel: a batch-norm, a constant factor, or nothing. Padded
/// channels have scale 0, so that they stay zero.
class ChannelNorm {
 public:
  /// `layer`: a BatchNorm or Scale layer, or Group::none. `shape`: of what it normalises.
  ChannelNorm(const Network& network, int layer, const BlockedShape& shape);
  bool is_batch_norm() const { return is_batch_norm_; }
  bool changes_gradient() const { return changes_gradient_; }

  void set_parameters(const float* parameters);

  /// A value of each channel's in the block that begins at `channel`, from which sums_of_plane takes
  /// differences.
  void set_origin(int channel, const float* values);
  const float* origin(int channel) const { return origin_.data() + channel; }
  /// `totals`: from sums_of_plane over the shard, see sum_over_images.
  void use_batch_statistics(const std::vector<double>& totals);
  void use_running_statistics();
  Affine affine(int channel) const { return {&mean_[channel], &scale_[channel], &shift_[channel]}; }

  /// `totals`: from backward_plane over the shard. Adds to a gradient arena the gradients of scale and shift
  /// and the batch statistics, and fixes gradient_of().
  void add_gradients(const std::vector<double>& totals, float* gradients);
  AffineGradient gradient_of(int channel) const {
    return {&mean_[channel], &a_[channel], &b_[channel], &c_[channel]};
  }

 private:
  /// A tensor of the arena; count 0: this norm has none of this role.
  struct Slot {
    std::size_t offset = 0, count = 0;
  };
  static Slot slot_of(const ParameterLayout& parameters, int layer, Role role);
  void set_affine(int channel, double mean, double variance);

  BlockedShape shape_;
  bool is_batch_norm_ = false, changes_gradient_ = false;
  double epsilon_ = 0;
  Slot scale_slot_, shift_slot_, mean_slot_, variance_slot_;
  std::vector<float> gamma_, beta_, running_mean_, running_variance_;  ///< the parameters
  std::vector<double> batch_variance_, inverse_deviation_, batch_mean_;
  std::vector<float> origin_, mean_, scale_, shift_, a_, b_, c_;
};

}  // namespace whorl::nn::cpu
