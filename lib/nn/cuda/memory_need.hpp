// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>

#include "nn/cuda/activations.hpp"

namespace whorl::nn::cuda {

/// GPU memory that a network takes, in bytes.
struct MemoryNeed {
  std::size_t activations = 0;  ///< with their gradients: grow with the shard
  std::size_t workspace = 0;    ///< of cuDNN and of sums
  std::size_t weights = 0;      ///< arenas, and filters as cuDNN wants them
  std::size_t total() const { return activations + workspace + weights; }
};

/// "" where `left` bytes suffice; else what is asked for, by which layer most, and how large a shard would
/// fit. `shard` is the one that was planned.
std::string memory_shortage(const Network& network, const MemoryNeed& need, const Activations& activations,
                            int shard, std::size_t left);

}  // namespace whorl::nn::cuda
