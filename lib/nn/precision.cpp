// SPDX-License-Identifier: BSD-3-Clause
#include "nn/precision.hpp"

#include <fmt/ranges.h>

#include <array>

#include "base/error.hpp"

namespace whorl::nn {

namespace {

constexpr std::array precisions{Precision::float32, Precision::tf32, Precision::float16, Precision::bfloat16};

}  // namespace

const char* to_string(Precision precision) {
  switch (precision) {
    case Precision::float32:
      return "float32";
    case Precision::tf32:
      return "tf32";
    case Precision::float16:
      return "float16";
    case Precision::bfloat16:
      return "bfloat16";
  }
  return "";
}

std::vector<std::string> precision_names() {
  std::vector<std::string> names;
  for (const Precision precision : precisions) names.emplace_back(to_string(precision));
  return names;
}

Precision precision_of(const std::string& name) {
  for (const Precision precision : precisions) {
    if (name == to_string(precision)) return precision;
  }
  throw Error("there is no precision {}: there are {}", name, fmt::join(precision_names(), ", "));
}

}  // namespace whorl::nn
