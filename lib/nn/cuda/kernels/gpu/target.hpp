// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "nn/cuda/kernels/bodies/element.hpp"
#include "nn/cuda/kernels/gpu/launch_error.hpp"

namespace whorl::nn::cuda {
inline namespace on_gpu {

/// 8 neighbouring values of a tensor, in registers.
struct Pack {
  float values[8];
  WHORL_DEVICE float& operator[](int i) { return values[i]; }
  WHORL_DEVICE float operator[](int i) const { return values[i]; }
};
struct alignas(8) BytePack {
  std::uint8_t values[8];
  WHORL_DEVICE std::uint8_t& operator[](int i) { return values[i]; }
  WHORL_DEVICE std::uint8_t operator[](int i) const { return values[i]; }
};

/// Moved by one instruction, or by two of 16 bytes for float.
template <typename T>
struct alignas(16) Raw8 {
  T values[8];
};
static_assert(sizeof(Raw8<Half>) == 16 && sizeof(Raw8<float>) == 32);

template <typename T>
WHORL_DEVICE Raw8<T> load_raw(const T* from) {
  Raw8<T> raw;
  for (std::size_t part = 0; part < sizeof(raw) / 16; ++part) {
    const uint4 bits = reinterpret_cast<const uint4*>(from)[part];
    memcpy(reinterpret_cast<char*>(&raw) + 16 * part, &bits, 16);
  }
  return raw;
}
template <typename T>
WHORL_DEVICE void store_raw(const Raw8<T>& raw, T* to) {
  for (std::size_t part = 0; part < sizeof(raw) / 16; ++part) {
    uint4 bits;
    memcpy(&bits, reinterpret_cast<const char*>(&raw) + 16 * part, 16);
    reinterpret_cast<uint4*>(to)[part] = bits;
  }
}

/// Read-only memory; null where a kernel does without. Values of 16 bits arrive as float. A pack starts at a
/// multiple of 8.
template <typename T>
struct In {
  const T* data;
  WHORL_DEVICE explicit operator bool() const { return data != nullptr; }
  WHORL_DEVICE const T& at(std::int64_t i) const { return data[i]; }
  WHORL_DEVICE float operator[](std::int64_t i) const { return to_float(data[i]); }
  WHORL_DEVICE Pack pack(std::int64_t i) const {
    const Raw8<T> raw = load_raw(data + i);
    Pack pack;
    for (int k = 0; k < 8; ++k) pack[k] = to_float(raw.values[k]);
    return pack;
  }
  WHORL_DEVICE BytePack bytes(std::int64_t i) const {
    BytePack pack;
    const uint2 bits = *reinterpret_cast<const uint2*>(data + i);
    memcpy(&pack, &bits, sizeof(pack));
    return pack;
  }
};

/// Memory that is written, each value once.
template <typename T>
struct Out {
  T* data;
  WHORL_DEVICE explicit operator bool() const { return data != nullptr; }
  WHORL_DEVICE void put(std::int64_t i, const T& value) const { data[i] = value; }
  WHORL_DEVICE void set(std::int64_t i, float value) const { from_float(value, data[i]); }
  WHORL_DEVICE void set(std::int64_t i, const Pack& pack) const {
    Raw8<T> raw;
    for (int k = 0; k < 8; ++k) from_float(pack[k], raw.values[k]);
    store_raw(raw, data + i);
  }
  WHORL_DEVICE void set(std::int64_t i, const BytePack& pack) const {
    uint2 bits;
    memcpy(&bits, &pack, sizeof(pack));
    *reinterpret_cast<uint2*>(data + i) = bits;
  }
};

/// Memory that is changed in place: each value read by the thread that writes it.
template <typename T>
struct InOut : Out<T> {
  WHORL_DEVICE const T& at(std::int64_t i) const { return this->data[i]; }
  WHORL_DEVICE float operator[](std::int64_t i) const { return In<T>{this->data}[i]; }
  WHORL_DEVICE Pack pack(std::int64_t i) const { return In<T>{this->data}.pack(i); }
};

/// An array of fixed length, shared or a thread's own.
template <typename T, int length>
struct Array {
  T values[length];
  WHORL_DEVICE T& operator[](int i) { return values[i]; }
  WHORL_DEVICE const T& operator[](int i) const { return values[i]; }
};

template <typename T>
struct PerThread {
  T value{};
  WHORL_DEVICE T& operator[](int) { return value; }
};

struct Block {
  WHORL_DEVICE int index() const { return static_cast<int>(blockIdx.x); }
  WHORL_DEVICE int count() const { return static_cast<int>(gridDim.x); }
  template <typename Phase>
  WHORL_DEVICE void phase(const Phase& work) {
    work(static_cast<int>(threadIdx.x));
    __syncthreads();
  }
};

/// 1 / x and 2^x by one instruction each, good to 2^-22 of the result; what is below 2^-126 counts as 0.
WHORL_DEVICE float reciprocal(float x) {
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}
WHORL_DEVICE float power_of_two(float x) {
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

/// How many blocks a multiprocessor must be able to hold at a time, which limits registers: four of 256
/// threads leave 64 for each. A kernel that needs more says so.
template <typename Kernel>
constexpr int resident_blocks() {
  if constexpr (requires { Kernel::resident_blocks; })
    return Kernel::resident_blocks;
  else
    return 4;
}

template <typename Kernel>
__global__ void __launch_bounds__(Kernel::threads, resident_blocks<Kernel>()) run_kernel(Kernel kernel) {
  __shared__ typename Kernel::Shared shared;
  Block block;
  kernel(block, shared);
}

template <typename Kernel>
void run_grid(const char* name, const Kernel& kernel, int blocks, cudaStream_t stream) {
  run_kernel<<<static_cast<unsigned>(blocks), Kernel::threads, 0, stream>>>(kernel);
  check_launch(name, cudaGetLastError());
}

}  // namespace on_gpu
}  // namespace whorl::nn::cuda
