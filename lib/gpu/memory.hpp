// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>

#include "base/unique_handle.hpp"

namespace whorl::gpu {

/// Memory of the current GPU, 256-byte aligned, released with cudaFree.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  /// Zeroed. Throws Error where the GPU has not that much left; `purpose` says what for.
  DeviceMemory(std::size_t bytes, const char* purpose);

  std::byte* data() const { return static_cast<std::byte*>(memory_.get()); }
  template <typename T>
  T* as() const {
    return static_cast<T*>(memory_.get());
  }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Traits {
    static void* invalid() { return nullptr; }
    static void release(void* memory) noexcept;
  };
  UniqueHandle<void*, Traits> memory_;
  std::size_t bytes_ = 0;
};

/// Page-locked memory of the host: copies between it and a GPU run beside computation.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  explicit PinnedMemory(std::size_t bytes);

  template <typename T>
  std::span<T> as() const {
    return {static_cast<T*>(memory_.get()), bytes_ / sizeof(T)};
  }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Traits {
    static void* invalid() { return nullptr; }
    static void release(void* memory) noexcept;
  };
  UniqueHandle<void*, Traits> memory_;
  std::size_t bytes_ = 0;
};

}  // namespace whorl::gpu
