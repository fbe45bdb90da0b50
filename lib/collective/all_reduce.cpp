// SPDX-License-Identifier: BSD-3-Clause
#include "collective/all_reduce.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "collective/central.hpp"
#include "collective/mpi_all_reduce.hpp"
#include "collective/mpi_node_memory.hpp"
#include "collective/mpi_transport.hpp"
#ifdef WHORL_HAS_NCCL
#include "collective/nccl_all_reduce.hpp"
#include "gpu/device.hpp"
#endif
#include "collective/node_transport.hpp"
#include "collective/ring.hpp"
#include "collective/shared.hpp"

namespace whorl::collective {
namespace {

/// Through MPI's own buffers, faster than to announce and to answer them.
constexpr std::size_t small_message_bytes = 2048;

using Made = std::unique_ptr<AllReduce>;

/// Within a node a message is a copy, which stays in the second-level cache until it is summed.
constexpr std::size_t node_chunk_bytes = std::size_t{384} << 10;
/// Between nodes, Open MPI sends 64 KiB over TCP at once (btl_tcp_eager_limit), but asks before it sends
/// more: question and answer then wait behind what is queued for a slow link, up to half of the time of a
/// sum.
constexpr std::size_t network_chunk_bytes = std::size_t{60} << 10;

/// Shared memory through which buffers elsewhere are summed: stays in the second-level cache.
constexpr std::size_t staging_bytes = std::size_t{1} << 20;

/// Of each rank of `comm`, its rank in `node`, if it is there. Collective.
std::vector<std::optional<int>> ranks_in(const mpi::Communicator& node, const mpi::Communicator& comm) {
  std::vector<std::optional<int>> ranks(static_cast<std::size_t>(comm.size()));
  int next = 0;
  for (const int member : node.all_gather(comm.rank())) ranks[static_cast<std::size_t>(member)] = next++;
  return ranks;
}

/// Ranks of one node read each other's memory; messages go between nodes.
std::unique_ptr<Transport> make_transport(const mpi::Communicator& comm) {
  auto messages = std::make_unique<MpiTransport>(comm);
  mpi::Communicator node = comm.split_by_node();
  if (comm.max(node.size()) == 1) return messages;
  auto node_ranks = ranks_in(node, comm);
  return std::make_unique<NodeTransport>(std::move(messages),
                                         std::make_unique<MpiNodeMemory>(std::move(node)),
                                         std::move(node_ranks), small_message_bytes);
}

Made make_ring(const mpi::Communicator& comm, const Options& options) {
  return std::make_unique<Ring>(make_transport(comm), chunk_bytes(options, comm));
}

Made make_shared(const mpi::Communicator& comm, const Options&) {
  mpi::Communicator node = comm.split_by_node();
  if (comm.min(node.size()) < comm.size()) {
    throw UsageError(
        "the ranks run on several nodes, which share no memory: instead of the all-reduce algorithm "
        "\"shared\", choose \"hierarchical\"");
  }
  const int owners = node.size();
  return std::make_unique<Shared>(std::make_unique<MpiNodeMemory>(std::move(node)), nullptr, owners,
                                  staging_bytes);
}

Made make_hierarchical(const mpi::Communicator& comm, const Options& options) {
  mpi::Communicator node = comm.split_by_node();
  const int owners = comm.min(node.size());
  const bool is_owner = node.rank() < owners;
  const mpi::Communicator peers = comm.split(is_owner ? node.rank() : owners, comm.rank());
  Made between = is_owner ? make_ring(peers, options) : nullptr;
  return std::make_unique<Shared>(std::make_unique<MpiNodeMemory>(std::move(node)), std::move(between),
                                  owners, staging_bytes);
}

Made make_mpi(const mpi::Communicator& comm, const Options&) {
  return std::make_unique<MpiAllReduce>(comm);
}

Made make_central(const mpi::Communicator& comm, const Options& options) {
  return std::make_unique<Central>(make_transport(comm), chunk_bytes(options, comm));
}

#ifdef WHORL_HAS_NCCL
/// NCCL takes no GPU twice.
Made make_nccl(const mpi::Communicator& comm, const Options& options) {
  gpu::claim_gpu(comm, false);
  return std::make_unique<NcclAllReduce>(comm, options.nccl_algorithm);
}
#endif

struct Algorithm {
  const char* name;
  Made (*make)(const mpi::Communicator&, const Options&);
};

constexpr std::array algorithms{
    Algorithm{"ring", make_ring},
    Algorithm{"shared", make_shared},
    Algorithm{"hierarchical", make_hierarchical},
    Algorithm{"mpi", make_mpi},
    Algorithm{"central", make_central},
#ifdef WHORL_HAS_NCCL
    Algorithm{"nccl", make_nccl},
#endif
};

constexpr std::align_val_t cache_line{64};

}  // namespace

void AllReduce::Free::operator()(std::byte* memory) const {
  ::operator delete(memory, cache_line);
}

std::byte* AllReduce::allocate_bytes(std::size_t bytes) {
  auto* memory = static_cast<std::byte*>(::operator new(bytes, cache_line));
  allocated_.emplace_back(memory);
  std::memset(memory, 0, bytes);
  return memory;
}

std::size_t chunk_bytes(const Options& options, const mpi::Communicator& comm) {
  if (options.chunk_bytes > 0) return options.chunk_bytes;
  const mpi::Communicator node = comm.split_by_node();
  return comm.min(node.size()) == comm.size() ? node_chunk_bytes : network_chunk_bytes;
}

bool is_chunk(std::size_t bytes) {
  return bytes == 0 || (bytes >= sizeof(float) && bytes <= std::numeric_limits<int>::max());
}

std::vector<std::string> available_algorithms() {
  std::vector<std::string> names;
  for (const Algorithm& algorithm : algorithms) names.emplace_back(algorithm.name);
  return names;
}

std::unique_ptr<AllReduce> make_all_reduce(const std::string& name, const mpi::Communicator& comm,
                                           const Options& options) {
  const auto found =
      std::ranges::find_if(algorithms, [&](const Algorithm& algorithm) { return name == algorithm.name; });
  if (found == algorithms.end()) {
    throw UsageError("no all-reduce algorithm is called \"{}\"; there are: {}", name,
                     fmt::join(available_algorithms(), ", "));
  }
  return found->make(comm, options);
}

}  // namespace whorl::collective
