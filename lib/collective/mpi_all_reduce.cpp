// SPDX-License-Identifier: BSD-3-Clause
#include "collective/mpi_all_reduce.hpp"

#include <mpi.h>

#include <algorithm>

#include "mpi/check.hpp"

namespace whorl::collective {

Ticket MpiAllReduce::start_sum(Values data) {
  constexpr std::size_t most = std::size_t{1} << 30;  // MPI counts in int
  const MPI_Datatype type = data.element() == Element::float32 ? MPI_FLOAT : MPI_INT64_T;
  for (std::size_t begin = 0; comm_.size() > 1 && begin < data.size(); begin += most) {
    const Values part = data.subspan(begin, std::min(data.size() - begin, most));
    mpi::check(
        MPI_Allreduce(MPI_IN_PLACE, part.data(), static_cast<int>(part.size()), type, MPI_SUM, comm_.get()),
        "MPI_Allreduce");
  }
  return Ticket{next_id_++};
}

}  // namespace whorl::collective
