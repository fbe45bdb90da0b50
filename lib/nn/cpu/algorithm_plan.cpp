// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/algorithm_plan.hpp"

#include <sstream>

#include "base/error.hpp"

namespace whorl::nn::cpu {

namespace {

Algorithm algorithm_named(const std::string& name, const std::string& line) {
  require(name == "direct" || name == "winograd", "plan line \"{}\": {} is neither direct nor winograd", line,
          name);
  return name == "winograd" ? Algorithm::winograd : Algorithm::direct;
}

}  // namespace

AlgorithmPlan::AlgorithmPlan(const std::string& text) : all_direct_(text == direct_everywhere) {
  if (all_direct_) return;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string layer, forward, backward_data, backward_weights;
    require(static_cast<bool>(words >> layer >> forward >> backward_data >> backward_weights),
            "plan line \"{}\" is not a layer and three algorithms", line);
    set(layer, {algorithm_named(forward, line), algorithm_named(backward_data, line),
                algorithm_named(backward_weights, line)});
  }
}

std::string AlgorithmPlan::text() const {
  if (all_direct_) return direct_everywhere;
  std::string text;
  for (const auto& [layer, choice] : choices_)
    text += fmt::format("{} {} {} {}\n", layer, to_string(choice.forward), to_string(choice.backward_data),
                        to_string(choice.backward_weights));
  return text;
}

const AlgorithmChoice& AlgorithmPlan::at(const std::string& layer) const {
  static constexpr AlgorithmChoice all_direct{};
  if (all_direct_) return all_direct;
  const auto found = choices_.find(layer);
  require(found != choices_.end(),
          "the plan names no algorithms for layer {}; was it made for another network?", layer);
  return found->second;
}

}  // namespace whorl::nn::cpu
