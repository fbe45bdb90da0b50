// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/executor.hpp"

namespace whorl::nn {

/// A network with parameters and one shard of random pictures.
struct Problem {
  Network network;
  int shard_size = 2;
  float label_smoothing = 0.2F;
  std::vector<float> parameters{};
  std::vector<std::uint8_t> images{};
  std::vector<std::int32_t> labels{};

  Shard shard() const { return {images, labels}; }
  CompileOptions options() const { return {.shard_size = shard_size, .label_smoothing = label_smoothing}; }
};

/// Every parameter drawn at random, also those that initialise() would set to 0 or 1. Float32 and double
/// precision must take the same branches at every maximum and every ReLU, or their gradients differ by whole
/// terms: pictures are drawn anew, from the seed on, until the reference finds the two largest cells of every
/// window, and every ReLU's input from 0, at least `gap` of the layer's deviation apart.
Problem make_problem(const Network& network, int shard_size, std::uint64_t seed, double gap = 2e-5);

/// Of one backend on a problem, from gradient arenas that are zero before.
struct Outcome {
  ShardResult result;
  std::vector<float> gradients;
  std::vector<float> logits;  ///< infer() of the shard
};
Outcome run(const Problem& problem, const std::string& backend, const CompileOptions& options);

/// Expects equal losses, logits and, tensor by tensor, gradients: ||a - b|| <= tolerance ||b||.
void expect_same_outcome(const Problem& problem, const Outcome& got, const Outcome& expected,
                         double tolerance);

}  // namespace whorl::nn
