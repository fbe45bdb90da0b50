// SPDX-License-Identifier: BSD-3-Clause
#include "collective/mpi_all_reduce.hpp"

#include <mpi.h>

#include <algorithm>

#include "mpi/check.hpp"

namespace whorl::collective {

Ticket MpiAllReduce::start_sum(std::span<float> data) {
  constexpr std::size_t most = std::size_t{1} << 30;  // MPI counts in int
  while (comm_.size() > 1 && !data.empty()) {
    const std::size_t count = std::min(data.size(), most);
    mpi::check(
        MPI_Allreduce(MPI_IN_PLACE, data.data(), static_cast<int>(count), MPI_FLOAT, MPI_SUM, comm_.get()),
        "MPI_Allreduce");
    data = data.subspan(count);
  }
  return Ticket{next_id_++};
}

}  // namespace whorl::collective
