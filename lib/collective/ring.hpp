// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "collective/sum_queue.hpp"

namespace whorl::collective {

/// Ring all-reduce (Patarasuk and Yuan, 2009): reduce-scatter, then all-gather, each P-1 steps around the
/// ring of P ranks.
///
///   cut data into P blocks
///   for step in 0 .. 2(P-1)-1:
///     send block (rank - step) mod P to the next rank
///     receive block (rank - step - 1) mod P from the previous rank: add it if step < P-1, else store it
///
/// A rank sends 2(P-1)/P of its data, the least any all-reduce can. Blocks travel as segments of at most
/// chunk_bytes, and a segment moves on as soon as it has been summed, so that adding one segment overlaps the
/// transfer of the next.
class Ring : public SumQueue {
 public:
  Ring(std::unique_ptr<Transport> transport, std::size_t chunk_bytes);

  std::string name() const override { return "ring"; }
  std::optional<Cost> cost(Values data) const override;

 private:
  class RingSum;
  std::unique_ptr<Sum> make_sum(std::uint64_t id, Values data) override;
};

}  // namespace whorl::collective
