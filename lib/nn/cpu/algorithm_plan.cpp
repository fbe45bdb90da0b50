// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/algorithm_plan.hpp"

#include <sstream>

#include "base/error.hpp"

namespace whorl::nn::cpu {

namespace {

Algorithm algorithm_in(const std::string& line, const std::string& name) {
  const std::optional<Algorithm> algorithm = algorithm_named(name);
  require(algorithm.has_value(),
          "plan line \"{}\": {} is none of direct, winograd3 to winograd6 and, with other tiles backward, "
          "for instance winograd4/6",
          line, name);
  return *algorithm;
}

}  // namespace

AlgorithmPlan::AlgorithmPlan(const std::string& text) {
  if (text.empty() || text == "fixed") source_ = Source::rule;
  if (text == "measured") source_ = Source::measurement;
  if (text == "direct") source_ = Source::direct;
  if (source_ != Source::record) return;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string layer, algorithm;
    require(static_cast<bool>(words >> layer >> algorithm),
            "plan line \"{}\" is not a layer and an algorithm", line);
    set(layer, algorithm_in(line, algorithm));
  }
}

std::string AlgorithmPlan::text() const {
  std::string text;
  for (const auto& [layer, algorithm] : algorithms_)
    text += fmt::format("{} {}\n", layer, to_string(algorithm));
  return text;
}

Algorithm AlgorithmPlan::at(const std::string& layer) const {
  const auto found = algorithms_.find(layer);
  require(found != algorithms_.end(),
          "the plan names no algorithm for layer {}; was it made for another network?", layer);
  return found->second;
}

}  // namespace whorl::nn::cpu
