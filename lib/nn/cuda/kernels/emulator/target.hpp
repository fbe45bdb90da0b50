// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "nn/cuda/kernels/bodies/element.hpp"
#include "nn/cuda/kernels/emulator/grid.hpp"
#include "nn/cuda/kernels/emulator/memory.hpp"
#include "nn/cuda/kernels/emulator/queue.hpp"
#include "nn/cuda/kernels/types.hpp"

/// The counterpart of gpu/target.hpp on a host: every access is checked against the array it goes to, every
/// element may be written once in a launch, shared memory starts as NaN.
namespace whorl::nn::cuda {
inline namespace emulated {

using Pack = std::array<float, 8>;
using BytePack = std::array<std::uint8_t, 8>;

/// What all views have.
template <typename T>
class View {
 public:
  View() = default;
  View(const T* data) : data_(const_cast<T*>(data)) {
    if (data_ != nullptr) region_ = emulator::region_of(data_, sizeof(T));
  }
  explicit operator bool() const { return data_ != nullptr; }

 protected:
  T& element(std::int64_t i) const {
    require(data_ != nullptr, "null is accessed");
    require(i >= 0 && i < region_.elements, "element {} of {} is accessed", i, region_.elements);
    return data_[i];
  }
  void write(std::int64_t i, const T& value) const {
    element(i) = value;
    int& writer = region_.last_writers[i];
    require(writer != emulator::grid().launch, "element {} is written twice", i);
    writer = emulator::grid().launch;
  }
  T& element_of_pack(std::int64_t first, int k) const {
    constexpr std::size_t alignment = sizeof(T) == 1 ? 8 : 16;
    require(reinterpret_cast<std::uintptr_t>(data_ + first) % alignment == 0,
            "a pack of 8 starts at element {}, which is not aligned", first);
    return element(first + k);
  }

 private:
  T* data_ = nullptr;
  emulator::Region region_;
};

template <typename T>
struct In : View<T> {
  using View<T>::View;
  const T& at(std::int64_t i) const { return this->element(i); }
  float operator[](std::int64_t i) const { return to_float(at(i)); }
  Pack pack(std::int64_t i) const {
    Pack pack;
    for (int k = 0; k < 8; ++k) pack[k] = to_float(this->element_of_pack(i, k));
    return pack;
  }
  BytePack bytes(std::int64_t i) const {
    BytePack pack;
    for (int k = 0; k < 8; ++k) pack[k] = this->element_of_pack(i, k);
    return pack;
  }
};

template <typename T>
struct Out : View<T> {
  using View<T>::View;
  void put(std::int64_t i, const T& value) const { this->write(i, value); }
  void set(std::int64_t i, float value) const {
    T stored;
    from_float(value, stored);
    put(i, stored);
  }
  void set(std::int64_t i, const Pack& pack) const {
    this->element_of_pack(i, 0);
    for (int k = 0; k < 8; ++k) set(i + k, pack[k]);
  }
  void set(std::int64_t i, const BytePack& pack) const {
    this->element_of_pack(i, 0);
    for (int k = 0; k < 8; ++k) put(i + k, pack[k]);
  }
};

template <typename T>
struct InOut : Out<T> {
  using Out<T>::Out;
  const T& at(std::int64_t i) const { return this->element(i); }
  float operator[](std::int64_t i) const { return to_float(at(i)); }
  Pack pack(std::int64_t i) const {
    Pack pack;
    for (int k = 0; k < 8; ++k) pack[k] = to_float(this->element_of_pack(i, k));
    return pack;
  }
};

template <typename T, int length>
struct Array {
  std::array<T, length> values;
  T& operator[](int i) {
    require(i >= 0 && i < length, "element {} of {} in a fixed array is accessed", i, length);
    return values[static_cast<std::size_t>(i)];
  }
};

class Block {
 public:
  Block(int index, int count, int threads) : index_(index), count_(count), threads_(threads) {}
  int index() const { return index_; }
  int count() const { return count_; }
  template <typename Phase>
  void phase(const Phase& work) {
    for (const int thread : emulator::in_order(threads_)) {
      emulator::grid().thread = thread;
      work(thread);
    }
  }

 private:
  int index_, count_, threads_;
};

template <typename T>
struct PerThread {
  static constexpr int most_threads = 1024;
  std::vector<T> values = std::vector<T>(most_threads);
  T& operator[](int thread) { return values[static_cast<std::size_t>(thread)]; }
};

inline float reciprocal(float x) {
  return 1.0F / x;
}
inline float power_of_two(float x) {
  return std::exp2(x);
}

template <typename Kernel>
void run_blocks(const char* name, Kernel kernel, int blocks) {
  emulator::Grid& grid = emulator::grid();
  ++grid.launch;
  try {
    for (const int index : emulator::in_order(blocks)) {
      grid.block = index;
      auto shared = std::make_unique<typename Kernel::Shared>();
      std::memset(shared.get(), 0xff, sizeof(*shared));
      Block block(index, blocks, Kernel::threads);
      kernel(block, *shared);
    }
  } catch (const Error& error) {
    throw Error("kernel {}, block {}, thread {}: {}", name, grid.block, grid.thread, error.what());
  }
}

template <typename Kernel>
void run_grid(const char* name, const Kernel& kernel, int blocks, Stream stream) {
  emulator::queue(stream, [=] { run_blocks(name, kernel, blocks); });
}

}  // namespace emulated
}  // namespace whorl::nn::cuda
