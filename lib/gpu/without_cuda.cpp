// SPDX-License-Identifier: BSD-3-Clause
// Stands in for device.cpp and health.cpp in builds without CUDA.
#include "base/error.hpp"
#include "gpu/device.hpp"
#include "gpu/health.hpp"

namespace whorl::gpu {

namespace {

constexpr const char* message =
    "this build computes on no GPU: it was made without CUDA (see WHORL_CUDA in CONTRIBUTING.md)";

}  // namespace

bool is_in_build() {
  return false;
}

int count_gpus() {
  return 0;
}

std::string current_gpu() {
  throw Error(message);
}

std::string claim_gpu(const mpi::Communicator&, bool) {
  throw CollectiveError(message);
}

Health examine_gpu(std::size_t) {
  throw Error(message);
}

}  // namespace whorl::gpu
