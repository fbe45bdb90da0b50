// SPDX-License-Identifier: BSD-3-Clause
#include "gpu/health.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "gpu/check.hpp"
#include "gpu/memory.hpp"

namespace whorl::gpu {

namespace {

constexpr int copies = 5;

/// Bytes/s of the median of some copies.
double copy_speed(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  std::vector<double> seconds;
  for (int i = 0; i < copies; ++i) {
    const auto start = std::chrono::steady_clock::now();
    check(cudaMemcpy(to, from, bytes, kind), "cudaMemcpy");
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::ranges::nth_element(seconds, seconds.begin() + copies / 2);
  return static_cast<double>(bytes) / seconds[copies / 2];
}

}  // namespace

Health examine_gpu(std::size_t bytes) {
  std::size_t left = 0, total = 0;
  check(cudaMemGetInfo(&left, &total), "cudaMemGetInfo");
  const DeviceMemory device(bytes, "copies that test it");
  const PinnedMemory sent(bytes), back(bytes);
  const auto words = sent.as<std::uint64_t>(), returned = back.as<std::uint64_t>();
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = 0x9e3779b97f4a7c15 * (i + 1);
  std::ranges::fill(returned, 0);
  Health health{.free_bytes = static_cast<double>(left), .total_bytes = static_cast<double>(total)};
  health.to_gpu = copy_speed(device.data(), words.data(), bytes, cudaMemcpyHostToDevice);
  health.from_gpu = copy_speed(returned.data(), device.data(), bytes, cudaMemcpyDeviceToHost);
  health.intact = std::ranges::equal(words, returned);
  return health;
}

}  // namespace whorl::gpu
