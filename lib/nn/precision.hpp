// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace whorl::nn {

/// How activations are stored and convolutions multiply. Sums, parameters, gradients that leave the executor
/// and statistics are float32 (or more) in all of them.
enum class Precision {
  float32,
  tf32,     ///< stored as float32, multiplied with 10 bits of mantissa
  float16,  ///< 11 significant bits, up to 65504
  bfloat16  ///< 8 significant bits, float32's range
};

/// "float32", "tf32", "float16", "bfloat16".
std::vector<std::string> precision_names();
const char* to_string(Precision precision);
/// Throws Error for a name that is none of precision_names().
Precision precision_of(const std::string& name);

}  // namespace whorl::nn
