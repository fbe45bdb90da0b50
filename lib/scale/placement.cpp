// SPDX-License-Identifier: BSD-3-Clause
#include "scale/placement.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>

#include "base/error.hpp"

namespace whorl::scale {

std::vector<int> place(const NodeOfRank& nodes, int count, const std::string& placement) {
  const int ranks = static_cast<int>(nodes.size());
  require(count >= 1 && count <= ranks, "{} ranks are wanted of an allocation of {}", count, ranks);
  std::vector<int> number_on_node(nodes.size()), order(nodes.size());
  std::vector<int> seen(nodes.size());
  for (std::size_t rank = 0; rank < nodes.size(); ++rank)
    number_on_node[rank] = seen[static_cast<std::size_t>(nodes[rank])]++;
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    const auto rank_a = static_cast<std::size_t>(a), rank_b = static_cast<std::size_t>(b);
    if (placement == "packed") return nodes[rank_a] < nodes[rank_b];
    return std::tie(number_on_node[rank_a], nodes[rank_a]) < std::tie(number_on_node[rank_b], nodes[rank_b]);
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
