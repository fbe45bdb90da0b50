// SPDX-License-Identifier: BSD-3-Clause
// The part of CUDA's runtime that we use, on host memory, one call after the other; and the registry that the
// emulator checks accesses against, for memory of no particular type. What must not be called while a graph
// is captured throws Error then.
#include "nn_gpu/emulated_runtime.hpp"

#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "nn/cuda/kernels/emulator/memory.hpp"
#include "nn/cuda/kernels/emulator/queue.hpp"

namespace whorl::nn::cuda::emulator {

std::size_t memory_left = std::size_t{1} << 30;
int graph_launches = 0;

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
using whorl::require;

namespace {

struct Graph {
  std::vector<emulator::Work> work;
};
struct Event {
  std::int64_t time = -1;           // when its point was reached; -1: never
  cudaStream_t captured = nullptr;  // the stream of the capture that it was last recorded in
};
struct Cudnn {
  cudaStream_t stream = nullptr;
};

Event& event_of(cudaEvent_t event) {
  return *reinterpret_cast<Event*>(event);
}

void require_no_capture(const char* call) {
  require(!emulator::capture(), "{} is called while a graph is captured", call);
}

}  // namespace

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int) {
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::strcpy(properties->name, "emulated");
  properties->major = 9;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int) {
  std::snprintf(text, std::size_t(length), "%d", getpid());  // each process has a GPU of its own
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  require_no_capture("cudaMalloc");
  *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(*memory, 0xff, bytes);
  emulator::allocations().bytes[static_cast<std::byte*>(*memory)] = bytes;
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  auto& [bytes, writers] = emulator::allocations();
  const auto begin = bytes.find(static_cast<std::byte*>(memory));
  const void* const end = begin->first + begin->second;
  writers.erase(writers.lower_bound({memory, 0}), writers.lower_bound({end, 0}));
  bytes.erase(begin);
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
  require_no_capture("cudaMemset");
  std::memset(to, value, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  emulator::queue(stream, [=] { std::memset(to, value, bytes); });
  return cudaSuccess;
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
  require_no_capture("cudaMemcpy");
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
  emulator::queue(stream, [=] { std::memcpy(to, from, bytes); });
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  require_no_capture("cudaDeviceSynchronize");
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
  require_no_capture("cudaStreamSynchronize");
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const cudaStream_t source = event_of(event).captured;
  if (!emulator::capture() || source == nullptr) return cudaSuccess;
  emulator::Capture& capture = *emulator::capture();
  capture.streams.insert(stream);
  if (stream == capture.origin)
    capture.unjoined.erase(source);
  else
    capture.unjoined.insert(stream);
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = reinterpret_cast<cudaEvent_t>(new Event);
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete &event_of(event);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  Event& recorded = event_of(event);
  if (emulator::capture()) {
    require(emulator::capture()->streams.contains(stream),
            "an event is recorded outside the graph under capture");
    recorded = {.captured = stream};
  } else {
    recorded = {.time = emulator::clock()};
  }
  return cudaSuccess;
}
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  const bool is_external = flags == cudaEventRecordExternal;
  require(is_external == emulator::capture().has_value(), "events of a graph, and no others, are external");
  emulator::queue(stream, [event] { event_of(event) = {.time = emulator::clock()}; });
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t) {
  require_no_capture("cudaEventQuery");
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) {
  require_no_capture("cudaEventSynchronize");
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  require(event_of(start).time >= 0 && event_of(end).time >= 0,
          "the time of an event is asked for that has none");
  *milliseconds = static_cast<float>(event_of(end).time - event_of(start).time);
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  const bool is_captured = emulator::capture() && emulator::capture()->streams.contains(stream);
  *status = is_captured ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  require_no_capture("cudaStreamBeginCapture");
  emulator::capture() = emulator::Capture{.origin = stream, .streams = {stream}};
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
  const emulator::Capture capture = std::move(emulator::capture().value());
  emulator::capture().reset();
  *graph = reinterpret_cast<cudaGraph_t>(new Graph{capture.work});
  return capture.unjoined.empty() ? cudaSuccess : cudaErrorStreamCaptureUnjoined;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete reinterpret_cast<Graph*>(graph);
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = reinterpret_cast<cudaGraphExec_t>(new Graph(*reinterpret_cast<Graph*>(graph)));
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  delete reinterpret_cast<Graph*>(graph);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t) {
  require_no_capture("cudaGraphLaunch");
  ++emulator::graph_launches;
  for (const emulator::Work& work : reinterpret_cast<Graph*>(graph)->work) work();
  return cudaSuccess;
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  *handle = reinterpret_cast<cudnnHandle_t>(new Cudnn);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  delete reinterpret_cast<Cudnn*>(handle);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  reinterpret_cast<Cudnn*>(handle)->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetStream(cudnnHandle_t handle, cudaStream_t* stream) {
  *stream = reinterpret_cast<Cudnn*>(handle)->stream;
  return CUDNN_STATUS_SUCCESS;
}
