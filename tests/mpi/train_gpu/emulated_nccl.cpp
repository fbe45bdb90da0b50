// SPDX-License-Identifier: BSD-3-Clause
// The part of NCCL that we use, between emulated GPUs of MPI's ranks.
#include "train_gpu/emulated_nccl.hpp"

#include <mpi.h>
#include <nccl.h>

#include <cstdlib>
#include <cstring>

#include "base/error.hpp"
#include "nn/cuda/kernels/emulator/queue.hpp"

std::string whorl::nn::cuda::emulator::nccl_algorithm;

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  std::memset(id, 1, sizeof(*id));
  return ncclSuccess;
}
ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId, int, ncclConfig_t*) {
  int world = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &world);
  whorl::require(ranks == world, "{} ranks of {}: only all of them are emulated", ranks, world);
  const char* algorithm = std::getenv("NCCL_ALGO");
  whorl::nn::cuda::emulator::nccl_algorithm = algorithm == nullptr ? "" : algorithm;
  *comm = nullptr;
  return ncclSuccess;
}
ncclResult_t ncclAllReduce(const void*, void* data, std::size_t count, ncclDataType_t type, ncclRedOp_t,
                           ncclComm_t, cudaStream_t stream) {
  whorl::require(type == ncclFloat32, "only sums of floats are emulated");
  whorl::nn::cuda::emulator::queue(stream, [=] {
    MPI_Allreduce(MPI_IN_PLACE, data, static_cast<int>(count), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  });
  return ncclSuccess;
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t, ncclResult_t* state) {
  *state = ncclSuccess;
  return ncclSuccess;
}
const char* ncclGetErrorString(ncclResult_t) {
  return "no error";
}
const char* ncclGetLastError(ncclComm_t) {
  return "";
}
ncclResult_t ncclCommFinalize(ncclComm_t) {
  return ncclSuccess;
}
ncclResult_t ncclCommDestroy(ncclComm_t) {
  return ncclSuccess;
}
ncclResult_t ncclCommAbort(ncclComm_t) {
  return ncclSuccess;
}
