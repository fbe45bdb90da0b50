// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "collective/all_reduce.hpp"

namespace whorl::collective {

/// The MPI library's own MPI_Allreduce, to compare with: start_sum() blocks until the sum is there.
/// (MPI_Iallreduce could hide behind computation, but in Open MPI 4.1 it takes about twice as long.)
class MpiAllReduce : public AllReduce {
 public:
  /// Collective: duplicates the communicator, and frees the duplicate in its destructor.
  explicit MpiAllReduce(const mpi::Communicator& comm) : comm_(comm.duplicate()) {}

  std::string name() const override { return "mpi"; }
  std::optional<Cost> cost(Values) const override { return std::nullopt; }
  std::optional<Cost> spent() const override { return std::nullopt; }
  Ticket start_sum(Values data) override;
  bool done(Ticket) const override { return true; }
  void progress() override {}
  void wait(Ticket) override {}

 private:
  mpi::Communicator comm_;
  std::uint64_t next_id_ = 0;
};

}  // namespace whorl::collective
