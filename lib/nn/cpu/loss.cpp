// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/loss.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace whorl::nn::cpu {

ShardResult cross_entropy(const BlockedShape& shape, const float* logits,
                          std::span<const std::int32_t> labels, float smoothing, float* gradient) {
  const int classes = shape.sample.channels;
  ShardResult result;
  for (int image = 0; image < shape.images; ++image) {
    const std::int32_t label = labels[image];
    require(label >= 0 && label < classes, "label {} of picture {} in the shard is not in [0, {})", label,
            image, classes);
    // One pixel: the channel blocks of a picture lie one after the other.
    const float* x = logits + std::size_t(image) * shape.padded_channels();
    float* dx = gradient + std::size_t(image) * shape.padded_channels();
    const float* largest = std::max_element(x, x + classes);
    double sum = 0;
    for (int c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(x[c]) - *largest);
    const double log_sum = *largest + std::log(sum);
    for (int c = 0; c < classes; ++c) {
      const double target = (c == label ? 1.0 - smoothing : 0.0) + static_cast<double>(smoothing) / classes;
      result.loss += target * (log_sum - x[c]);
      dx[c] = static_cast<float>(std::exp(x[c] - log_sum) - target);
    }
    std::fill(dx + classes, dx + shape.padded_channels(), 0.0F);
    result.correct += largest - x == label ? 1 : 0;
  }
  return result;
}

}  // namespace whorl::nn::cpu
