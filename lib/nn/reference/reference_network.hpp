// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "nn/network.hpp"
#include "nn/reference/operations.hpp"

namespace whorl::nn::reference {

/// A network's forward and backward pass, layer after layer, in double precision. Keeps every layer's output.
class ReferenceNetwork {
 public:
  /// Keeps a copy of `network`.
  explicit ReferenceNetwork(Network network);

  const Network& network() const { return network_; }
  /// The parameter arena, laid out by Network::parameters; write it before a pass.
  std::vector<double>& parameters() { return parameters_; }

  /// The logits of normalised pictures. Batch-norm uses the statistics of `pictures` when `training`, running
  /// statistics otherwise.
  const Maps& forward(Maps pictures, bool training);

  /// Of the last forward pass, which was a training one. Adds the parameters' gradients and the
  /// running-statistics slots (mean and unbiased variance; of a single value the variance is 0) to
  /// `gradients`, and calls layer_done(index) after each layer, last to first.
  void backward(Maps logits_gradient, std::span<double> gradients,
                const std::function<void(int layer)>& layer_done);

 private:
  struct Backward;
  const Maps& output_of(int layer) const { return layer == network_input ? pictures_ : outputs_[layer]; }
  ConstValues values(int layer, Role role) const;
  void forward_layer(int layer, bool training);
  ChannelStatistics running_statistics(int layer) const;

  Network network_;
  std::vector<double> parameters_;
  Maps pictures_;
  std::vector<Maps> outputs_;
  std::vector<ChannelStatistics> statistics_;  ///< of batch-norm layers' inputs, empty for other layers
};

}  // namespace whorl::nn::reference
