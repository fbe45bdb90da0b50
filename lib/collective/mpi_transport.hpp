// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <mpi.h>

#include <memory>
#include <vector>

#include "collective/transport.hpp"
#include "mpi/communicator.hpp"

namespace whorl::collective {

/// Messages by MPI_Isend and MPI_Irecv; integers go packed (collective/packed.hpp).
class MpiTransport : public Transport {
 public:
  /// Duplicates the communicator (collective), and frees the duplicate in its destructor.
  explicit MpiTransport(const mpi::Communicator& comm) : comm_(comm.duplicate()) {}
  /// Everything has been waited for, unless an exception ends the whole job.
  ~MpiTransport() override;

  int rank() const override { return comm_.rank(); }
  int size() const override { return comm_.size(); }
  std::byte* allocate(std::size_t) override { return nullptr; }
  Request start_send(int to, int tag, Values data) override;
  Request start_receive(int from, int tag, Values into, Arrival arrival) override;
  bool test(Request request) override;
  /// Now and then gives up the core.
  void idle() override;

 private:
  struct Message {
    MPI_Request request = MPI_REQUEST_NULL;
    Values into{};  ///< of a receive that goes through the buffer; empty otherwise
    Arrival arrival = Arrival::add;
    std::vector<std::byte> buffer;  ///< what is packed, or to be added
  };
  struct Messages {
    std::vector<Message> by_request;
    Messages* next = nullptr;  ///< of those that exceptions have left open
  };
  static Messages* left_open;

  Request free_message();
  void take_buffer(Message& message, std::size_t bytes);
  static void take_in(Message& message, std::size_t length);

  mpi::Communicator comm_;
  std::unique_ptr<Messages> messages_ = std::make_unique<Messages>();
  std::vector<Request> free_;  // those that are not in use
  /// Buffers at rest. The one used last is taken first: it is still in cache.
  std::vector<std::vector<std::byte>> buffers_;
  unsigned idle_turns_ = 0;
};

}  // namespace whorl::collective
