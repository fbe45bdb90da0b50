// SPDX-License-Identifier: BSD-3-Clause
#include "gpu/stream.hpp"

#include "gpu/check.hpp"

namespace whorl::gpu {

Stream::Stream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  stream_.reset(stream);
}

void Stream::wait_for(const Event& event) {
  check(cudaStreamWaitEvent(get(), event.get(), 0), "cudaStreamWaitEvent");
}

void Stream::synchronize() {
  check(cudaStreamSynchronize(get()), "cudaStreamSynchronize");
}

void Stream::Traits::release(cudaStream_t stream) noexcept {
  cudaStreamDestroy(stream);
}

Event::Event() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreate(&event), "cudaEventCreate");
  event_.reset(event);
}

void Event::record(const Stream& stream) {
  check(cudaEventRecord(get(), stream.get()), "cudaEventRecord");
}

void Event::record_time(const Stream& stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream.get(), &status), "cudaStreamIsCapturing");
  const bool is_captured = status == cudaStreamCaptureStatusActive;
  check(cudaEventRecordWithFlags(get(), stream.get(),
                                 is_captured ? cudaEventRecordExternal : cudaEventRecordDefault),
        "cudaEventRecordWithFlags");
}

bool Event::reached() const {
  const cudaError_t code = cudaEventQuery(get());
  if (code != cudaErrorNotReady) check(code, "cudaEventQuery");
  return code == cudaSuccess;
}

void Event::wait() const {
  check(cudaEventSynchronize(get()), "cudaEventSynchronize");
}

double Event::seconds_since(const Event& start) const {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, start.get(), get()), "cudaEventElapsedTime");
  return double(milliseconds) * 1e-3;
}

void Event::Traits::release(cudaEvent_t event) noexcept {
  cudaEventDestroy(event);
}

}  // namespace whorl::gpu
