// SPDX-License-Identifier: BSD-3-Clause
#include "collective/mpi_transport.hpp"

#include <sched.h>

#include <algorithm>
#include <utility>

#include "mpi/check.hpp"

namespace whorl::collective {

Transport::Request MpiTransport::start_send(int to, int tag, Values data) {
  const Request request = free_message();
  mpi::check(MPI_Isend(data.data(), static_cast<int>(data.size_bytes()), MPI_BYTE, to, tag, comm_.get(),
                       &messages_[request].request),
             "MPI_Isend");
  return request;
}

Transport::Request MpiTransport::start_receive(int from, int tag, Values into, Arrival arrival) {
  const Request request = free_message();
  Message& message = messages_[request];
  std::byte* place = into.data();
  if (arrival == Arrival::add && !into.empty()) {
    if (!buffers_.empty()) {
      message.terms = std::move(buffers_.back());
      buffers_.pop_back();
    }
    message.terms.resize(std::max(message.terms.size(), into.size_bytes()));
    message.into = into;
    place = message.terms.data();
  }
  mpi::check(MPI_Irecv(place, static_cast<int>(into.size_bytes()), MPI_BYTE, from, tag, comm_.get(),
                       &message.request),
             "MPI_Irecv");
  return request;
}

bool MpiTransport::test(Request request) {
  Message& message = messages_[request];
  int complete = 0;
  mpi::check(MPI_Test(&message.request, &complete, MPI_STATUS_IGNORE), "MPI_Test");
  if (complete == 0) return false;
  if (!message.into.empty()) {
    add(message.into, {message.into.element(), message.terms.data(), message.into.size()});
    buffers_.push_back(std::move(message.terms));
    message = {};
  }
  free_.push_back(request);
  return true;
}

void MpiTransport::idle() {
  // Where ranks share cores, Open MPI yields by itself. Elsewhere a thread of this rank may want the core,
  // but a system call in every turn would delay the next completion.
  constexpr int turns = 64;
  if (++idle_turns_ % turns == 0) sched_yield();
}

Transport::Request MpiTransport::free_message() {
  if (free_.empty()) {
    messages_.emplace_back();
    return messages_.size() - 1;
  }
  const Request request = free_.back();
  free_.pop_back();
  return request;
}

}  // namespace whorl::collective
