// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/phase_timer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mpi/check.hpp"
#include "mpi/session.hpp"

namespace whorl::mpi {

namespace {

int rank_of_maximum(const Communicator& comm, double value) {
  struct {
    double value;
    int rank;
  } slowest{value, comm.rank()};
  check(MPI_Allreduce(MPI_IN_PLACE, &slowest, 1, MPI_DOUBLE_INT, MPI_MAXLOC, comm.get()), "MPI_Allreduce");
  return slowest.rank;
}

}  // namespace

PhaseTimer::PhaseTimer(std::vector<std::string> phases)
    : names_(std::move(phases)), seconds_(names_.size(), 0.0) {}

void PhaseTimer::reset() {
  seconds_.assign(names_.size(), 0.0);
}

std::vector<PhaseStatistics> PhaseTimer::reduce(const Communicator& comm) const {
  const std::vector<std::string> hosts = comm.all_gather(host_name());
  std::vector<PhaseStatistics> result;
  for (std::size_t phase = 0; phase < names_.size(); ++phase) {
    const double mine = seconds_[phase];
    PhaseStatistics statistics;
    statistics.name = names_[phase];
    statistics.min = comm.min(mine);
    statistics.max = comm.max(mine);
    // The sum rounds: equal times would else have a mean beside them.
    statistics.mean = std::clamp(comm.sum(mine) / comm.size(), statistics.min, statistics.max);
    const double deviation = mine - statistics.mean;
    statistics.standard_deviation = std::sqrt(comm.sum(deviation * deviation) / comm.size());
    statistics.slowest_rank = rank_of_maximum(comm, mine);
    statistics.slowest_host = hosts[static_cast<std::size_t>(statistics.slowest_rank)];
    statistics.per_rank = comm.all_gather(mine);
    result.push_back(std::move(statistics));
  }
  return result;
}

}  // namespace whorl::mpi
