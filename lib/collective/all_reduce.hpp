// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "collective/values.hpp"
#include "mpi/communicator.hpp"

namespace whorl::collective {

/// What all-reduces cost one rank.
struct Cost {
  std::int64_t steps = 0;  ///< messages that depend on each other, those of one step counted once
  /// Handed to the transport, which may send integers in fewer (collective/packed.hpp), or stored into other
  /// ranks' memory, by this rank.
  std::int64_t bytes_sent = 0;
};

/// Names one started all-reduce; valid until waited for.
struct Ticket {
  std::uint64_t id = 0;
};

/// Sums buffers of float32 or int64 over the ranks of a communicator, in place, several at a time. Every rank
/// starts the same sums in the same order with the same counts; nothing else has to be synchronised. One
/// thread uses an object at a time. Sums of int64 are the same for every algorithm and number of ranks; those
/// of float32 are rounded in an order that depends on both.
class AllReduce {
 public:
  virtual ~AllReduce() = default;
  /// Exactly what runs, such as "ring" or "mpi".
  virtual std::string name() const = 0;
  /// What one sum of `data` costs this rank, computed; nothing where a library decides and does not
  /// say ("mpi").
  virtual std::optional<Cost> cost(Values data) const = 0;
  /// What this rank has spent since construction, counted as messages are sent.
  virtual std::optional<Cost> spent() const = 0;

  /// `count` zeros in memory where sums cost least; they live as long as this object. A sum of any part of
  /// them must be of the same part on every rank. Collective, with the same count.
  template <typename T>
  std::span<T> allocate(std::size_t count) {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, std::int64_t>);
    return {reinterpret_cast<T*>(allocate_bytes(count * sizeof(T))), count};
  }

  /// Begins to sum `data` (any length, zero included). The caller leaves the buffer alone until wait()
  /// returns.
  virtual Ticket start_sum(Values data) = 0;
  /// Moves started sums on without blocking; called between layers so that communication hides behind
  /// computation.
  virtual void progress() = 0;
  /// Whether wait() would return at once.
  virtual bool done(Ticket ticket) const = 0;
  /// Returns when the data of this ticket hold the sum over all ranks.
  virtual void wait(Ticket ticket) = 0;

  void sum(Values data) { wait(start_sum(data)); }

 protected:
  /// Zeroed, starting at a cache line.
  virtual std::byte* allocate_bytes(std::size_t bytes);

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  std::vector<std::unique_ptr<std::byte, Free>> allocated_;
};

struct Options {
  std::size_t chunk_bytes = 0;          ///< see chunk_bytes()
  std::string nccl_algorithm = "ring";  ///< see NcclCommunicator
};

/// The most that a message of ring, hierarchical or central holds: as asked for; else what was fastest where
/// measured, 384 KiB where all ranks share a node and 60 KiB where not. Collective.
std::size_t chunk_bytes(const Options& options, const mpi::Communicator& comm);

/// Of an Options::chunk_bytes that somebody gives: 0, or a message of at least one element that MPI can
/// count.
bool is_chunk(std::size_t bytes);

/// Names that make_all_reduce() accepts here.
std::vector<std::string> available_algorithms();

/// `algorithm` is one of available_algorithms(); another name is a UsageError that lists them, and so is
/// "shared" where ranks do not share memory. "nccl" takes a GPU for each rank (gpu::claim_gpu). Collective
/// (duplicates the communicator, so that its messages never meet the caller's); so is the destructor, which
/// skips the collective part while an exception unwinds.
std::unique_ptr<AllReduce> make_all_reduce(const std::string& algorithm, const mpi::Communicator& comm,
                                           const Options& options = {});

}  // namespace whorl::collective
