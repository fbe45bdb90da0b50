// SPDX-License-Identifier: BSD-3-Clause
#include "loopback_ranks.hpp"

#include <algorithm>
#include <thread>

#include "base/block_range.hpp"
#include "base/error.hpp"
#include "collective/background.hpp"
#include "collective/central.hpp"
#include "collective/loopback_node_memory.hpp"
#include "collective/loopback_transport.hpp"
#include "collective/node_transport.hpp"
#include "collective/ring.hpp"
#include "collective/shared.hpp"

namespace whorl::collective {
namespace {

using Transports = std::vector<std::unique_ptr<Transport>>;
/// Builds the all-reduce of one rank, in its thread.
using Maker = std::function<std::unique_ptr<AllReduce>(Traffic&)>;

std::unique_ptr<Transport> checked(std::unique_ptr<Transport>& transport, Traffic& traffic) {
  return std::make_unique<CheckedTransport>(std::move(transport), traffic);
}

template <typename Algorithm>
std::vector<Maker> over_transport(const Arrangement& arrangement) {
  const auto transports = std::make_shared<Transports>(make_loopback_transports(arrangement.ranks));
  std::vector<Maker> makers;
  for (int rank = 0; rank < arrangement.ranks; ++rank) {
    makers.emplace_back([=](Traffic& traffic) {
      return std::make_unique<Algorithm>(checked((*transports)[static_cast<std::size_t>(rank)], traffic),
                                         arrangement.chunk_bytes);
    });
  }
  return makers;
}

std::vector<Maker> on_nodes(const Arrangement& arrangement, int nodes) {
  const int owners = arrangement.ranks / nodes;
  const auto between = std::make_shared<std::vector<Transports>>();  // by owner, then by node
  for (int owner = 0; owner < owners; ++owner) between->push_back(make_loopback_transports(nodes));
  std::vector<Maker> makers;
  for (int node = 0; node < nodes; ++node) {
    const auto size = static_cast<int>(block_range(arrangement.ranks, nodes, node).size());
    const auto memory = std::make_shared<std::vector<std::unique_ptr<NodeMemory>>>(make_loopback_node(size));
    for (int rank = 0; rank < size; ++rank) {
      makers.emplace_back([=](Traffic& traffic) {
        const auto local = static_cast<std::size_t>(rank);
        std::unique_ptr<AllReduce> ring;
        if (arrangement.algorithm == "hierarchical" && rank < owners) {
          auto& transport = between->at(local).at(static_cast<std::size_t>(node));
          ring = std::make_unique<Ring>(checked(transport, traffic), arrangement.chunk_bytes);
        }
        return std::make_unique<Shared>(std::move(memory->at(local)), std::move(ring), owners,
                                        arrangement.staging_bytes);
      });
    }
  }
  return makers;
}

/// A ring of ranks on `nodes` nodes, which read the memory of those on their own.
std::vector<Maker> over_nodes(const Arrangement& arrangement, int nodes) {
  constexpr std::size_t small_bytes = 16;
  const auto transports = std::make_shared<Transports>(make_loopback_transports(arrangement.ranks));
  std::vector<Maker> makers;
  for (int node = 0; node < nodes; ++node) {
    const Range here = block_range(arrangement.ranks, nodes, node);
    const auto memory = std::make_shared<std::vector<std::unique_ptr<NodeMemory>>>(
        make_loopback_node(static_cast<int>(here.size())));
    std::vector<std::optional<int>> node_ranks(static_cast<std::size_t>(arrangement.ranks));
    for (std::int64_t rank = here.begin; rank < here.end; ++rank)
      node_ranks[static_cast<std::size_t>(rank)] = static_cast<int>(rank - here.begin);
    for (std::int64_t rank = here.begin; rank < here.end; ++rank) {
      makers.emplace_back([=](Traffic& traffic) {
        std::unique_ptr<Transport> transport = std::make_unique<NodeTransport>(
            std::move((*transports)[static_cast<std::size_t>(rank)]),
            std::move((*memory)[static_cast<std::size_t>(rank - here.begin)]), node_ranks, small_bytes);
        return std::make_unique<Ring>(checked(transport, traffic), arrangement.chunk_bytes);
      });
    }
  }
  return makers;
}

/// A ring that a thread moves on.
std::vector<Maker> in_background(const Arrangement& arrangement) {
  std::vector<Maker> makers;
  for (const Maker& ring : over_transport<Ring>(arrangement))
    makers.emplace_back([=](Traffic& traffic) { return std::make_unique<Background>(ring(traffic)); });
  return makers;
}

std::vector<Maker> makers_for(const Arrangement& arrangement) {
  if (arrangement.algorithm == "ring") return over_transport<Ring>(arrangement);
  if (arrangement.algorithm == "central") return over_transport<Central>(arrangement);
  if (arrangement.algorithm == "shared") return on_nodes(arrangement, 1);
  if (arrangement.algorithm == "background") return in_background(arrangement);
  if (arrangement.algorithm == "ring_on_nodes") return over_nodes(arrangement, arrangement.ranks < 4 ? 1 : 2);
  require(arrangement.algorithm == "hierarchical", "no loopback algorithm is called {}",
          arrangement.algorithm);
  return on_nodes(arrangement, std::min(arrangement.ranks, arrangement.ranks < 6 ? 2 : 3));
}

}  // namespace

std::vector<std::string> loopback_algorithms() {
  return {"ring", "ring_on_nodes", "shared", "hierarchical", "central", "background"};
}

void on_ranks(const Arrangement& arrangement, const std::function<void(const Rank&)>& body) {
  const std::vector<Maker> makers = makers_for(arrangement);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < arrangement.ranks; ++rank) {
    threads.emplace_back([&, rank] {
      Traffic traffic;
      const std::unique_ptr<AllReduce> all_reduce = makers[static_cast<std::size_t>(rank)](traffic);
      body({rank, *all_reduce, traffic});
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace whorl::collective
