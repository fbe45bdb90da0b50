// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/claims.hpp"

#include <atomic>

namespace whorl::ingest {

Claims::Claims(const mpi::Communicator& node)
    : next_(node, sizeof(std::int64_t), "a counter of the pictures that are done") {}

std::optional<std::int64_t> Claims::claim(int rank, std::int64_t end) {
  static_assert(std::atomic_ref<std::int64_t>::is_always_lock_free, "ranks share the counters");
  auto* counter = reinterpret_cast<std::int64_t*>(next_.parts()[static_cast<std::size_t>(rank)]);
  const std::atomic_ref next(*counter);
  std::int64_t number = next.load();
  while (number < end) {
    if (next.compare_exchange_weak(number, number + 1)) return number;
  }
  return std::nullopt;
}

}  // namespace whorl::ingest
