// SPDX-License-Identifier: BSD-3-Clause
// Stands in for device.cpp in builds without CUDA.
#include "base/error.hpp"
#include "gpu/device.hpp"

namespace whorl::gpu {

int count_gpus() {
  return 0;
}

std::string claim_gpu(const mpi::Communicator&, bool) {
  throw CollectiveError(
      "this build computes on no GPU: it was made without CUDA (see WHORL_CUDA in CONTRIBUTING.md)");
}

}  // namespace whorl::gpu
