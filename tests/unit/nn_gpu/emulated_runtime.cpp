// SPDX-License-Identifier: BSD-3-Clause
// The part of CUDA's runtime that the executor uses, on host memory, one call after the other; and the
// registry that the emulator checks accesses against, for memory of no particular type.
#include "nn_gpu/emulated_runtime.hpp"

#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "nn/cuda/kernels/emulator/memory.hpp"

namespace whorl::nn::cuda::emulator {

std::size_t memory_left = std::size_t{1} << 30;

namespace {

struct Allocations {
  std::map<const std::byte*, std::size_t> bytes;                            // by their start
  std::map<std::pair<const void*, std::size_t>, std::vector<int>> writers;  // by pointer and element size
};

Allocations& allocations() {
  static Allocations all;
  return all;
}

}  // namespace

Region region_of(const void* pointer, std::size_t element_bytes) {
  const auto* address = static_cast<const std::byte*>(pointer);
  const auto next = allocations().bytes.upper_bound(address);
  require(next != allocations().bytes.begin(), "a kernel is given a pointer that is not the GPU's");
  const auto& [begin, bytes] = *std::prev(next);
  const auto offset = static_cast<std::size_t>(address - begin);
  require(offset < bytes, "a kernel is given a pointer behind the end of its memory");
  const std::size_t elements = (bytes - offset) / element_bytes;
  std::vector<int>& writers = allocations().writers[{pointer, element_bytes}];
  writers.resize(elements);
  return {static_cast<std::int64_t>(elements), writers.data()};
}

}  // namespace whorl::nn::cuda::emulator

namespace emulator = whorl::nn::cuda::emulator;

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(*memory, 0xff, bytes);
  emulator::allocations().bytes[static_cast<std::byte*>(*memory)] = bytes;
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  emulator::allocations().bytes.erase(static_cast<std::byte*>(memory));
  emulator::allocations().writers.clear();
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
  *memory = std::malloc(bytes);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* left, std::size_t* total) {
  *left = emulator::memory_left;
  *total = emulator::memory_left;
  return cudaSuccess;
}
cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
  std::memset(to, value, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t) {
  return cudaMemset(to, value, bytes);
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t) {
  return cudaMemcpy(to, from, bytes, kind);
}
cudaError_t cudaDeviceSynchronize() {
  return cudaSuccess;
}
cudaError_t cudaGetLastError() {
  return cudaSuccess;
}
const char* cudaGetErrorString(cudaError_t) {
  return "no error";
}
const char* cudaGetErrorName(cudaError_t) {
  return "cudaSuccess";
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = reinterpret_cast<cudaStream_t>(std::malloc(1));
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  std::free(stream);
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) {
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) {
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = reinterpret_cast<cudaEvent_t>(std::malloc(1));
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  std::free(event);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) {
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t) {
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) {
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t, cudaEvent_t) {
  *milliseconds = 0;
  return cudaSuccess;
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  *handle = reinterpret_cast<cudnnHandle_t>(std::malloc(1));
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  std::free(handle);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t) {
  return CUDNN_STATUS_SUCCESS;
}
