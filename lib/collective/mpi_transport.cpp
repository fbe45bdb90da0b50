// SPDX-License-Identifier: BSD-3-Clause
#include "collective/mpi_transport.hpp"

#include <sched.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/error.hpp"
#include "collective/packed.hpp"
#include "mpi/check.hpp"

namespace whorl::collective {
namespace {

/// Whether its messages may be packed.
bool are_integers(Values data) {
  return data.element() == Element::int64 && !data.empty();
}

std::span<std::int64_t> integers(Values data) {
  return {reinterpret_cast<std::int64_t*>(data.data()), data.size()};
}

std::size_t width_of(Values data) {
  return are_integers(data) ? packed_width(integers(data)) : size_of(data.element());
}

}  // namespace

MpiTransport::Messages* MpiTransport::left_open = nullptr;

MpiTransport::~MpiTransport() {
  if (std::uncaught_exceptions() == 0) return;
  // MPI may still write into the buffers of what an exception has left open: they stay until the job ends,
  // and within reach, so that they are no leak. Nothing here asks for memory or can throw.
  messages_->next = left_open;
  left_open = messages_.release();
}

Transport::Request MpiTransport::start_send(int to, int tag, Values data) {
  const Request request = free_message();
  Message& message = messages_->by_request[request];
  std::span<const std::byte> bytes = data.bytes();
  if (const std::size_t width = width_of(data); width < size_of(data.element())) {
    take_buffer(message, data.size_bytes());
    bytes = pack(integers(data), width, message.buffer);
  }
  mpi::check(MPI_Isend(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, to, tag, comm_.get(),
                       &message.request),
             "MPI_Isend");
  return request;
}

Transport::Request MpiTransport::start_receive(int from, int tag, Values into, Arrival arrival) {
  const Request request = free_message();
  Message& message = messages_->by_request[request];
  std::span<std::byte> place = into.bytes();
  if (are_integers(into) || (arrival == Arrival::add && !into.empty())) {
    take_buffer(message, into.size_bytes());
    message.into = into;
    message.arrival = arrival;
    place = std::span(message.buffer).first(into.size_bytes());
  }
  mpi::check(MPI_Irecv(place.data(), static_cast<int>(place.size()), MPI_BYTE, from, tag, comm_.get(),
                       &message.request),
             "MPI_Irecv");
  return request;
}

bool MpiTransport::test(Request request) {
  Message& message = messages_->by_request[request];
  int complete = 0, length = 0;
  MPI_Status status;
  mpi::check(MPI_Test(&message.request, &complete, &status), "MPI_Test");
  if (complete == 0) return false;
  if (!message.into.empty()) {
    mpi::check(MPI_Get_count(&status, MPI_BYTE, &length), "MPI_Get_count");
    take_in(message, static_cast<std::size_t>(length));
  }
  if (!message.buffer.empty()) buffers_.push_back(std::move(message.buffer));
  message = {};
  free_.push_back(request);
  return true;
}

void MpiTransport::take_in(Message& message, std::size_t length) {
  if (are_integers(message.into)) {
    const std::size_t count = message.into.size();
    require(length % count == 0, "all-reduce: a message of {} bytes for {} integers", length, count);
    unpack(message.buffer, length / count, integers(message.into), message.arrival);
  } else {
    add(message.into, {message.into.element(), message.buffer.data(), message.into.size()});
  }
}

void MpiTransport::take_buffer(Message& message, std::size_t bytes) {
  if (!buffers_.empty()) {
    message.buffer = std::move(buffers_.back());
    buffers_.pop_back();
  }
  message.buffer.resize(std::max(message.buffer.size(), bytes));
}

void MpiTransport::idle() {
  // Where ranks share cores, Open MPI yields by itself. Elsewhere a thread of this rank may want the core,
  // but a system call in every turn would delay the next completion.
  constexpr int turns = 64;
  if (++idle_turns_ % turns == 0) sched_yield();
}

Transport::Request MpiTransport::free_message() {
  if (free_.empty()) {
    messages_->by_request.emplace_back();
    return messages_->by_request.size() - 1;
  }
  const Request request = free_.back();
  free_.pop_back();
  return request;
}

}  // namespace whorl::collective
