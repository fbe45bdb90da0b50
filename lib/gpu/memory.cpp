// SPDX-License-Identifier: BSD-3-Clause
#include "gpu/memory.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "gpu/check.hpp"

namespace whorl::gpu {

DeviceMemory::DeviceMemory(std::size_t bytes, const char* purpose) : bytes_(bytes) {
  void* memory = nullptr;
  const cudaError_t code = cudaMalloc(&memory, std::max<std::size_t>(bytes, 1));
  if (code == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // it would be reported again by the next call
    std::size_t left = 0, total = 0;
    check(cudaMemGetInfo(&left, &total), "cudaMemGetInfo");
    throw Error("the GPU has {:.1f} of {:.1f} GB left, but {} take {:.1f} GB", double(left) * 1e-9,
                double(total) * 1e-9, purpose, double(bytes) * 1e-9);
  }
  check(code, "cudaMalloc");
  memory_.reset(memory);
  check(cudaMemset(memory, 0, bytes), "cudaMemset");
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");  // our streams do not wait for the default stream
}

void DeviceMemory::Traits::release(void* memory) noexcept {
  cudaFree(memory);
}

PinnedMemory::PinnedMemory(std::size_t bytes) : bytes_(bytes) {
  void* memory = nullptr;
  check(cudaMallocHost(&memory, std::max<std::size_t>(bytes, 1)), "cudaMallocHost");
  memory_.reset(memory);
}

void PinnedMemory::Traits::release(void* memory) noexcept {
  cudaFreeHost(memory);
}

}  // namespace whorl::gpu
