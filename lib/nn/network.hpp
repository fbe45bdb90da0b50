// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nn/layer.hpp"
#include "nn/parameters.hpp"

namespace whorl::nn {

/// Executors turn uint8 pictures into (value/255 - mean)/deviation.
struct Normalisation {
  std::array<float, 3> mean{};
  std::array<float, 3> deviation{1, 1, 1};
};

/// A whole network as data: what an executor is compiled from. The last layer's output is the logits, shape
/// (classes).
struct Network {
  std::string name;
  Shape input;  ///< channels = 3
  Normalisation normalisation;
  std::vector<Layer> layers;
  ParameterLayout parameters;
  int classes() const { return layers.back().output.channels; }
};

/// Adds layers one after the other, inferring shapes; throws Error, naming the layer, for values and shapes
/// that do not fit. Each function returns the new layer's index, its input is `input` or, by default, the
/// layer added last (at first, the picture).
class NetworkBuilder {
 public:
  NetworkBuilder(std::string name, Shape input, Normalisation normalisation);
  static constexpr int previous = -2;
  int add(std::string name, Operation operation, int input = previous);
  int add_sum(std::string name, int left, int right);
  /// `layer` may be network_input or previous, too.
  Shape shape_of(int layer) const;
  /// The finished network: its last layer must give a vector (the logits), and every other layer must be
  /// used.
  Network build() &&;

 private:
  int resolve(int layer) const;
  int append(std::string name, Operation operation, std::vector<int> inputs, Shape output);
  Network network_;
};

/// "petal", "air94", "resnet18".
std::vector<std::string> network_names();
/// A named network for square RGB pictures of `image_size`; unknown names and sizes that a network cannot
/// take throw Error listing what is there.
Network make_network(const std::string& name, int image_size, int classes,
                     const Normalisation& normalisation);

/// A few lines for people: each layer with its output shape, parameters and MFLOPs, and the totals.
std::string describe(const Network& network);
/// Floats that describe the trained network, frozen weights included, running statistics not.
std::size_t parameter_count(const Network& network);
/// Multiply-adds x 2 of convolutions and linear layers, one picture, forward.
double forward_flops(const Network& network);
/// The same of a training step: forward, backward to the trained weights, and backward to the input where
/// something before it is trained. Each pass of a layer costs the same.
double training_flops(const Network& network);

/// Starting values of all tensors (see Init; whitening tensors are left zero), keyed by (seed, tensor), into
/// an arena of parameters.size() floats. Running means start at 0, variances and scales at 1, shifts and
/// biases at 0 except conv and linear biases: uniform +-1/sqrt(fan_in) unless the layer's weights are
/// whitening (0).
void initialise(const Network& network, std::uint64_t seed, std::span<float> arena);

}  // namespace whorl::nn
