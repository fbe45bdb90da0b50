// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/memory_need.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace whorl::nn::cuda {

namespace {

std::string gigabytes(std::size_t bytes) {
  return fmt::format("{:.2f} GB", static_cast<double>(bytes) * 1e-9);
}

}  // namespace

std::string memory_shortage(const Network& network, const MemoryNeed& need, const Activations& activations,
                            int shard, std::size_t left) {
  if (need.total() <= left) return {};
  const auto largest = std::ranges::max_element(activations.by_layer(), {}, &Activations::LayerBytes::bytes);
  const std::size_t fixed = need.weights + need.workspace;
  const std::size_t fitting =
      left <= fixed ? 0 : (left - fixed) / (need.activations / static_cast<std::size_t>(shard) + 1);
  return fmt::format(
      "network {} with shards of {} pictures takes {} of GPU memory, and {} are left: activations {} (most "
      "for layer {}: {}), workspace {}, weights {}; {}",
      network.name, shard, gigabytes(need.total()), gigabytes(left), gigabytes(need.activations),
      largest->layer, gigabytes(largest->bytes), gigabytes(need.workspace), gigabytes(need.weights),
      fitting > 0 ? fmt::format("about {} pictures would fit (train.shard)", fitting)
                  : "not one picture would fit");
}

}  // namespace whorl::nn::cuda
