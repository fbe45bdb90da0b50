// SPDX-License-Identifier: BSD-3-Clause
#include "gpu/device.hpp"

#include <array>

#include "base/error.hpp"
#include "gpu/check.hpp"
#include "mpi/session.hpp"

namespace whorl::gpu {

namespace {

constexpr int lowest_architecture = WHORL_LOWEST_ARCHITECTURE;

/// cudaSuccess, or why this node has none.
cudaError_t count_gpus(int& count) {
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (code != cudaErrorNoDevice && code != cudaErrorInsufficientDriver) check(code, "cudaGetDeviceCount");
  return code;
}

std::string bus_id(int device) {
  std::array<char, 32> text{};
  check(cudaDeviceGetPCIBusId(text.data(), text.size(), device), "cudaDeviceGetPCIBusId");
  return text.data();
}

}  // namespace

bool is_in_build() {
  return true;
}

int count_gpus() {
  int count = 0;
  return count_gpus(count) == cudaSuccess ? count : 0;
}

std::string current_gpu() {
  int device = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  return bus_id(device);
}

std::string claim_gpu(const mpi::Communicator& comm, bool may_share) {
  const int local_rank = comm.split_by_node().rank();
  Placement mine{.host = mpi::host_name(), .gpu = {}};
  cudaDeviceProp properties{};
  mpi::together(comm, [&] {
    int count = 0;
    const cudaError_t code = count_gpus(count);
    require(code == cudaSuccess,
            "{} has no GPU that CUDA can use: {}; --device cpu and --parallel.all_reduce=auto need none",
            mpi::host_name(), cudaGetErrorString(code));
    const int device = local_rank % count;
    check(cudaSetDevice(device), "cudaSetDevice");
    check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    const std::string problem = unsupported_architecture(
        properties.name, 10 * properties.major + properties.minor, lowest_architecture);
    if (!problem.empty()) throw Error("{}: {}", mpi::host_name(), problem);
    mine.gpu = bus_id(device);
  });
  const std::vector<std::string> hosts = comm.all_gather(mine.host), gpus = comm.all_gather(mine.gpu);
  std::vector<Placement> by_rank;
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) by_rank.push_back({hosts[rank], gpus[rank]});
  const std::string conflict = may_share ? "" : shared_gpu(by_rank);
  if (!conflict.empty()) throw CollectiveError(conflict);
  return properties.name;
}

}  // namespace whorl::gpu
