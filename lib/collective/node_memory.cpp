// SPDX-License-Identifier: BSD-3-Clause
#include "collective/node_memory.hpp"

#include <algorithm>
#include <functional>

namespace whorl::collective {

const NodeMemory::Region* NodeMemory::region_of(std::span<const std::byte> data) const {
  const auto holds = [&](const Region& region) {
    const std::byte* part = region.parts[static_cast<std::size_t>(rank())];
    const std::less_equal<> in_order;
    return in_order(part, data.data()) && in_order(data.data() + data.size(), part + region.bytes);
  };
  const auto found = std::ranges::find_if(regions_, holds);
  return found == regions_.end() ? nullptr : &*found;
}

}  // namespace whorl::collective
