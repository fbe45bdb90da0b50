// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace whorl::collective {

/// Point-to-point messages between the ranks of one group, all that the ring needs. Messages between two
/// ranks with one tag arrive in the order sent. Implemented over MPI, and over memory for ranks that are
/// threads (loopback).
class Transport {
 public:
  using Request = std::uint64_t;
  virtual ~Transport() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// The buffer stays untouched until test() has returned true for the request.
  virtual Request start_send(int to, int tag, std::span<const std::byte> data) = 0;
  virtual Request start_receive(int from, int tag, std::span<std::byte> data) = 0;
  /// True once, when the request is complete; the request is then gone. Never blocks.
  virtual bool test(Request request) = 0;
  /// Lets other ranks run: called when nothing is complete.
  virtual void idle() = 0;
};

}  // namespace whorl::collective
