// SPDX-License-Identifier: BSD-3-Clause
#include <map>
#include <utility>

#include "gpu/device.hpp"

namespace whorl::gpu {

std::string shared_gpu(const std::vector<Placement>& by_rank) {
  std::map<std::pair<std::string, std::string>, std::size_t> owner;
  for (std::size_t rank = 0; rank < by_rank.size(); ++rank) {
    const auto& [host, gpu] = by_rank[rank];
    const auto [entry, is_first] = owner.try_emplace({host, gpu}, rank);
    if (is_first) continue;
    return fmt::format(
        "ranks {} and {} would share the GPU {} of {}: start as many ranks on a node as it has GPUs, or "
        "allow it with --parallel.share_gpu=true (not with NCCL)",
        entry->second, rank, gpu, host);
  }
  return {};
}

}  // namespace whorl::gpu
