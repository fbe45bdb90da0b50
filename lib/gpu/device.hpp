// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mpi/communicator.hpp"

namespace whorl::gpu {

/// Whether this build can compute on GPUs.
bool is_in_build();

/// GPUs that CUDA can use on this node; 0 also without a driver, or in a build without CUDA.
int count_gpus();

/// Where one rank would compute.
struct Placement {
  std::string host;
  std::string gpu;  ///< its PCI bus id
};

/// "" when every rank has a GPU of its own; else, which two ranks share which, and what to do.
std::string shared_gpu(const std::vector<Placement>& by_rank);

/// "" when a GPU of this architecture, 90 for compute capability 9.0, can run what was compiled for `lowest`
/// and later; else why not.
std::string unsupported_architecture(const std::string& gpu, int architecture, int lowest);

/// Gives this rank the GPU whose number is its local rank, modulo the GPUs of the node, and makes it the
/// current one of this thread. Throws CollectiveError where a rank's node has no GPU, or one that this build
/// is not for, or where two ranks share one and `may_share` is false. Returns what it is, such as "NVIDIA
/// H100 80GB HBM3". Collective.
std::string claim_gpu(const mpi::Communicator& comm, bool may_share);

/// The PCI bus id of this thread's current GPU. Throws Error where there is none.
std::string current_gpu();

}  // namespace whorl::gpu
