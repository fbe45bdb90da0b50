// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace whorl::nn {

/// Channels, height, width of one sample's activation; (C, 1, 1) after global pooling or a linear layer.
struct Shape {
  int channels = 0;
  int height = 1;
  int width = 1;
  std::size_t count() const { return std::size_t(channels) * height * width; }
  bool operator==(const Shape&) const = default;
};

/// How a weight tensor starts. fan_in = input channels x kernel area.
enum class Init {
  fan_in_uniform,  ///< uniform +-1/sqrt(fan_in)
  dirac,           ///< fan_in_uniform, then the first C_in filters become the identity (airbench94)
  he_normal,       ///< normal, variance 2/fan_out (He et al. 2015; torchvision's ResNet)
  unit_deviation,  ///< fan_in_uniform divided by its own standard deviation (airbench94's head)
  whitening  ///< set from training pictures: eigenvectors of the patch covariance, see train/whitening.hpp
};

/// Cross-correlation with (filters, channels, kernel, kernel) weights, zero padding.
struct Conv {
  int filters = 0;
  int kernel = 3;
  int stride = 1;
  int padding = 1;
  bool bias = false;
  bool frozen = false;  ///< weights are not trained (a bias still is)
  Init init = Init::he_normal;
};

/// Batch normalisation over a shard (Ioffe & Szegedy 2015): y = (x - mean)/sqrt(var + epsilon) * scale +
/// shift. running = (1 - momentum) * running + momentum * (mean over the global batch's shards of the shard's
/// statistic; variance unbiased).
struct BatchNorm {
  float epsilon = 1e-5f;
  float momentum = 0.1f;
  bool scale = true;  ///< false: scale is 1 and not a parameter
  float initial_scale =
      1;  ///< 0 at the end of a residual branch makes the block start as the identity (Goyal et al. 2017)
};

struct Activation {
  enum Kind { relu, gelu };  ///< gelu: x * Phi(x), exact (Hendrycks & Gimpel 2016)
  Kind kind = relu;
};

struct Pool {
  enum Kind { max, average };
  Kind kind = max;
  int window = 2;
  int stride = 2;
  int padding = 0;  ///< max only; padded cells never win
};

/// Sum of two inputs of the same shape.
struct Add {};

/// Flattens its input in (C, H, W) order; weights (outputs, C*H*W).
struct Linear {
  int outputs = 0;
  bool bias = true;
  Init init = Init::fan_in_uniform;
};

/// Multiplies by a constant.
struct Scale {
  float factor = 1.0f;
};

/// One of the layer kinds above; dispatch with std::visit(Overloaded{[](const Conv&) {...}, ...}, operation).
using Operation = std::variant<Conv, BatchNorm, Activation, Pool, Add, Linear, Scale>;

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

/// One node of the network graph. `inputs` are indices of earlier layers; network_input (-1) is the
/// normalised picture.
inline constexpr int network_input = -1;
struct Layer {
  std::string name;
  Operation operation;
  std::vector<int> inputs;
  Shape output;
};

}  // namespace whorl::nn
