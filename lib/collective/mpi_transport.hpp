// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <mpi.h>

#include <vector>

#include "collective/transport.hpp"
#include "mpi/communicator.hpp"

namespace whorl::collective {

/// Messages by MPI_Isend and MPI_Irecv.
class MpiTransport : public Transport {
 public:
  /// Duplicates the communicator (collective), and frees the duplicate in its destructor.
  explicit MpiTransport(const mpi::Communicator& comm) : comm_(comm.duplicate()) {}

  int rank() const override { return comm_.rank(); }
  int size() const override { return comm_.size(); }
  Request start_send(int to, int tag, std::span<const std::byte> data) override;
  Request start_receive(int from, int tag, std::span<std::byte> data) override;
  bool test(Request request) override;
  /// Now and then gives up the core.
  void idle() override;

 private:
  Request free_request();

  mpi::Communicator comm_;
  std::vector<MPI_Request> requests_;  // by Request
  std::vector<Request> free_;          // indices of requests_ that are not in use
  unsigned idle_turns_ = 0;
};

}  // namespace whorl::collective
