// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <map>
#include <string>

#include "nn/cpu/convolution.hpp"

namespace whorl::nn::cpu {

/// The chosen algorithms by layer name, as text: one line "conv1 winograd direct winograd" per layer, the
/// directions forward, backward-data, backward-weights. The text "direct" stands for direct convolutions
/// everywhere.
class AlgorithmPlan {
 public:
  AlgorithmPlan() = default;
  /// Throws Error naming a line that is none.
  explicit AlgorithmPlan(const std::string& text);
  std::string text() const;
  bool empty() const { return !all_direct_ && choices_.empty(); }
  void set(const std::string& layer, const AlgorithmChoice& choice) { choices_[layer] = choice; }
  /// Throws Error if the plan does not name the layer.
  const AlgorithmChoice& at(const std::string& layer) const;

 private:
  static constexpr const char* direct_everywhere = "direct";

  bool all_direct_ = false;
  std::map<std::string, AlgorithmChoice> choices_;
};

}  // namespace whorl::nn::cpu
