// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "collective/values.hpp"

namespace whorl::collective {

/// What becomes of numbers where they arrive: they replace those that are there, or are added to them.
enum class Arrival { store, add };

inline void arrive(Values data, Values into, Arrival arrival) {
  if (arrival == Arrival::add) {
    add(into, data);
  } else if (!data.empty()) {
    std::memcpy(into.data(), data.data(), data.size_bytes());
  }
}

/// Point-to-point messages between the ranks of one group, all that the ring needs. Messages between two
/// ranks with one tag arrive in the order sent. Implemented over MPI, over memory that a node's ranks share,
/// and over memory for ranks that are threads (loopback).
class Transport {
 public:
  using Request = std::uint64_t;
  /// Tags are 0 .. tags - 1: half of what MPI guarantees, and many more than there are ever sums in flight.
  static constexpr int tags = 16384;

  virtual ~Transport() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Zeros in memory where messages cost least, at the start of a cache line; null where all memory costs the
  /// same. Lives as long as this object. What is sent from it arrives in it, and at the same place.
  /// Collective, with the same `bytes`.
  virtual std::byte* allocate(std::size_t bytes) = 0;
  /// The data stay untouched until test() has returned true for the request.
  virtual Request start_send(int to, int tag, Values data) = 0;
  /// `into` is the transport's until test() has returned true, but requests that add may share it: test()
  /// adds. Requests for one rank and tag are tested in the order in which they were started.
  virtual Request start_receive(int from, int tag, Values into, Arrival arrival) = 0;
  /// True once, when the request is complete; the request is then gone. Never blocks.
  virtual bool test(Request request) = 0;
  /// Lets other ranks run: called when nothing is complete.
  virtual void idle() = 0;
};

}  // namespace whorl::collective
