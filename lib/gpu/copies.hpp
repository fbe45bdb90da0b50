// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <vector>

#include "gpu/check.hpp"
#include "gpu/stream.hpp"

namespace whorl::gpu {

/// Queues a copy of values in ordinary memory, which may go as soon as this returns.
template <typename T>
void upload(std::span<const T> values, T* to, const Stream& stream) {
  check(cudaMemcpyAsync(to, values.data(), values.size_bytes(), cudaMemcpyHostToDevice, stream.get()),
        "cudaMemcpyAsync");
}

/// After all that is queued in `stream`; waits for it.
template <typename T>
std::vector<T> download(const T* from, std::size_t count, Stream& stream) {
  std::vector<T> values(count);
  check(cudaMemcpyAsync(values.data(), from, count * sizeof(T), cudaMemcpyDeviceToHost, stream.get()),
        "cudaMemcpyAsync");
  stream.synchronize();
  return values;
}

}  // namespace whorl::gpu
