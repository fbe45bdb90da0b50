// SPDX-License-Identifier: BSD-3-Clause
#include "collective/nccl_communicator.hpp"

#include <sched.h>

#include <cstdlib>

#include "base/error.hpp"

namespace whorl::collective {

NcclCommunicator::NcclCommunicator(const mpi::Communicator& comm, const std::string& algorithm,
                                   std::chrono::seconds deadline)
    : name_(algorithm == "auto" ? "nccl" : "nccl " + algorithm), deadline_(deadline) {
  if (algorithm != "auto")
    require(setenv("NCCL_ALGO", algorithm.c_str(), 1) == 0, "NCCL_ALGO cannot be set to {}", algorithm);
  ncclUniqueId id{};
  if (comm.is_root()) check(ncclGetUniqueId(&id), "ncclGetUniqueId");
  comm.broadcast(std::span<char>(id.internal));
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  check(ncclCommInitRankConfig(&comm_, comm.size(), id, comm.rank(), &config), "ncclCommInitRankConfig");
  settle("ncclCommInitRankConfig");
}

NcclCommunicator::~NcclCommunicator() {
  if (std::uncaught_exceptions() > exceptions_) {
    ncclCommAbort(comm_);
    return;
  }
  ncclCommFinalize(comm_);
  try {
    settle("ncclCommFinalize");
  } catch (const Error&) {
    ncclCommAbort(comm_);
    return;
  }
  ncclCommDestroy(comm_);
}

void NcclCommunicator::queue_sum(void* data, std::size_t count, ncclDataType_t type,
                                 const gpu::Stream& stream) {
  check(ncclAllReduce(data, data, count, type, ncclSum, comm_, stream.get()), "ncclAllReduce");
  settle("ncclAllReduce");  // what follows in the stream must come after it
}

void NcclCommunicator::check_library() const {
  ncclResult_t state = ncclSuccess;
  check(ncclCommGetAsyncError(comm_, &state), "ncclCommGetAsyncError");
  check(state, "NCCL");
}

void NcclCommunicator::wait(const gpu::Event& event) const {
  const Clock::time_point start = Clock::now();
  while (!event.reached()) {
    check_library();
    require_in_time(start, "ncclAllReduce");
    sched_yield();
  }
}

void NcclCommunicator::check(ncclResult_t code, const char* call) const {
  if (code == ncclSuccess || code == ncclInProgress) return;
  throw Error("{} failed: {}: {}", call, ncclGetErrorString(code), ncclGetLastError(comm_));
}

void NcclCommunicator::settle(const char* call) const {
  const Clock::time_point start = Clock::now();
  for (;;) {
    ncclResult_t state = ncclSuccess;
    check(ncclCommGetAsyncError(comm_, &state), "ncclCommGetAsyncError");
    check(state, call);
    if (state != ncclInProgress) return;
    require_in_time(start, call);
    sched_yield();
  }
}

void NcclCommunicator::require_in_time(Clock::time_point start, const char* call) const {
  require(Clock::now() - start < deadline_, "{} has not ended within {} s: another rank hangs or has died",
          call, deadline_.count());
}

}  // namespace whorl::collective
