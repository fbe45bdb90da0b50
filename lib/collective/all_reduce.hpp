// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"

namespace whorl::collective {

/// What all-reduces cost one rank.
struct Cost {
  std::int64_t steps = 0;       ///< messages that depend on each other, those of one step counted once
  std::int64_t bytes_sent = 0;  ///< handed to the transport by this rank
};

/// Names one started all-reduce; valid until waited for.
struct Ticket {
  std::uint64_t id = 0;
};

/// Sums float32 buffers over the ranks of a communicator, in place, several at a time. Every rank starts the
/// same sums in the same order with the same counts; nothing else has to be synchronised. One thread uses an
/// object at a time.
class AllReduce {
 public:
  virtual ~AllReduce() = default;
  /// Exactly what runs, such as "ring" or "mpi".
  virtual std::string name() const = 0;
  /// What one sum of `bytes` costs this rank, computed; nothing where a library decides and does not say
  /// ("mpi").
  virtual std::optional<Cost> cost(std::size_t bytes) const = 0;
  /// What this rank has spent since construction, counted as messages are sent.
  virtual std::optional<Cost> spent() const = 0;

  /// Begins to sum `data` (any length, zero included). The caller leaves the buffer alone until wait()
  /// returns.
  virtual Ticket start_sum(std::span<float> data) = 0;
  /// Moves started sums on without blocking; called between layers so that communication hides behind
  /// computation.
  virtual void progress() = 0;
  /// Returns when `data` of this ticket holds the sum over all ranks.
  virtual void wait(Ticket ticket) = 0;

  void sum(std::span<float> data) { wait(start_sum(data)); }
};

struct Options {
  std::size_t chunk_bytes = 384 * 1024;  ///< the ring cuts its blocks into messages of at most this size
};

/// Names that make_all_reduce() accepts here.
std::vector<std::string> available_algorithms();

/// `algorithm` is one of available_algorithms(); another name is a UsageError that lists them. Collective
/// (duplicates the communicator, so that its messages never meet the caller's); so is the destructor, which
/// skips the collective part while an exception unwinds.
std::unique_ptr<AllReduce> make_all_reduce(const std::string& algorithm, const mpi::Communicator& comm,
                                           const Options& options = {});

}  // namespace whorl::collective
