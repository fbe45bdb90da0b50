// SPDX-License-Identifier: BSD-3-Clause
#include "collective/mpi_transport.hpp"

#include <sched.h>

#include "mpi/check.hpp"

namespace whorl::collective {

Transport::Request MpiTransport::start_send(int to, int tag, std::span<const std::byte> data) {
  const Request request = free_request();
  mpi::check(MPI_Isend(data.data(), static_cast<int>(data.size()), MPI_BYTE, to, tag, comm_.get(),
                       &requests_[request]),
             "MPI_Isend");
  return request;
}

Transport::Request MpiTransport::start_receive(int from, int tag, std::span<std::byte> data) {
  const Request request = free_request();
  mpi::check(MPI_Irecv(data.data(), static_cast<int>(data.size()), MPI_BYTE, from, tag, comm_.get(),
                       &requests_[request]),
             "MPI_Irecv");
  return request;
}

bool MpiTransport::test(Request request) {
  int complete = 0;
  mpi::check(MPI_Test(&requests_[request], &complete, MPI_STATUS_IGNORE), "MPI_Test");
  if (complete != 0) free_.push_back(request);
  return complete != 0;
}

void MpiTransport::idle() {
  // Where ranks share cores, Open MPI yields by itself. Elsewhere a thread of this rank may want the core,
  // but a system call in every turn would delay the next completion.
  constexpr int turns = 64;
  if (++idle_turns_ % turns == 0) sched_yield();
}

Transport::Request MpiTransport::free_request() {
  if (free_.empty()) {
    requests_.push_back(MPI_REQUEST_NULL);
    return requests_.size() - 1;
  }
  const Request request = free_.back();
  free_.pop_back();
  return request;
}

}  // namespace whorl::collective
