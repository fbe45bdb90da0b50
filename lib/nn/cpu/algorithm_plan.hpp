// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <map>
#include <string>

#include "nn/cpu/groups.hpp"

namespace whorl::nn::cpu {

/// How the algorithm of every convolution is found, see CompileOptions::plan: by rule ("fixed"), by
/// measuring, direct everywhere, or as recorded by an earlier compilation: one line "conv1 winograd4" per
/// convolution or linear layer.
class AlgorithmPlan {
 public:
  enum class Source { rule, measurement, direct, record };

  /// Throws Error naming a line that is none.
  explicit AlgorithmPlan(const std::string& text);
  Source source() const { return source_; }
  /// The lines of all layers that were set.
  std::string text() const;
  void set(const std::string& layer, const Algorithm& algorithm) { algorithms_[layer] = algorithm; }
  /// Throws Error if the plan does not name the layer.
  Algorithm at(const std::string& layer) const;

 private:
  Source source_ = Source::record;
  std::map<std::string, Algorithm> algorithms_;
};

}  // namespace whorl::nn::cpu
