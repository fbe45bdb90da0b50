// SPDX-License-Identifier: BSD-3-Clause
#include "scale/placement.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "base/error.hpp"

namespace whorl::scale {

std::optional<int> ranks_in_turn(const std::string& placement) {
  if (placement == "packed") return std::numeric_limits<int>::max();
  if (placement == "spread") return 1;
  int ranks = 0;
  const char* const end = placement.data() + placement.size();
  const auto parsed = std::from_chars(placement.data(), end, ranks);
  return parsed.ec == std::errc() && parsed.ptr == end && ranks >= 1 ? std::optional(ranks) : std::nullopt;
}

std::string placement_text(const std::string& placement) {
  return placement == "packed" || placement == "spread" ? placement
                                                        : placement + " ranks on each node in turn";
}

std::vector<int> place(const NodeOfRank& nodes, int count, const std::string& placement) {
  const int ranks = static_cast<int>(nodes.size());
  require(count >= 1 && count <= ranks, "{} ranks are wanted of an allocation of {}", count, ranks);
  const int turn = ranks_in_turn(placement).value();
  std::vector<int> number_on_node(nodes.size()), order(nodes.size());
  std::vector<int> seen(nodes.size());
  for (std::size_t rank = 0; rank < nodes.size(); ++rank)
    number_on_node[rank] = seen[static_cast<std::size_t>(nodes[rank])]++;
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    const auto key_of = [&](int rank) {
      const auto index = static_cast<std::size_t>(rank);
      return std::pair(number_on_node[index] / turn, nodes[index]);
    };
    return key_of(a) < key_of(b);
  });
  order.resize(static_cast<std::size_t>(count));
  std::sort(order.begin(), order.end());
  return order;
}

int count_nodes(const NodeOfRank& nodes, const std::vector<int>& ranks) {
  std::set<int> used;
  for (const int rank : ranks) used.insert(nodes[static_cast<std::size_t>(rank)]);
  return static_cast<int>(used.size());
}

}  // namespace whorl::scale
