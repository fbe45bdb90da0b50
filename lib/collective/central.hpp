// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <deque>
#include <memory>

#include "collective/sum_queue.hpp"

namespace whorl::collective {

/// The parameter-server baseline: rank 0 receives everything, adds it and sends it back.
///
///   rank 0: for segment in data:
///             for rank in 1 .. P-1: receive its segment, add it
///             for rank in 1 .. P-1: send it the sum
///   others: send every segment, receive every sum; not more than a few segments ahead of the sums
///
/// Rank 0 sends and receives P-1 times the data, P/2 times as much as in a ring. Segments are at most
/// chunk_bytes long, and rank 0 receives the next while the sums of those before are on their way.
class Central : public SumQueue {
 public:
  Central(std::unique_ptr<Transport> transport, std::size_t chunk_bytes);

  std::string name() const override { return "central"; }
  std::optional<Cost> cost(Values data) const override;

 private:
  class AtServer;
  class AtWorker;
  std::unique_ptr<Sum> make_sum(std::uint64_t id, Values data) override;
  Transport::Request send(int to, int tag, Values data);
  /// Forgets the first request if it is complete.
  bool take_first(std::deque<Transport::Request>& requests);
};

}  // namespace whorl::collective
