// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <utility>

namespace whorl {

/// Owns one C handle and releases it exactly once. `Traits` has `static Handle invalid()` and
/// `static void release(Handle) noexcept`. For local handles only: a handle whose release is collective
/// (communicators, MPI and parallel HDF5 files) needs an explicit close, see mpi::File.
template <typename Handle, typename Traits>
class UniqueHandle {
 public:
  UniqueHandle() = default;
  explicit UniqueHandle(Handle handle) : handle_(handle) {}
  UniqueHandle(UniqueHandle&& other) noexcept : handle_(std::exchange(other.handle_, Traits::invalid())) {}
  UniqueHandle& operator=(UniqueHandle&& other) noexcept {
    if (this != &other) reset(std::exchange(other.handle_, Traits::invalid()));
    return *this;
  }
  ~UniqueHandle() { reset(); }

  void reset(Handle handle = Traits::invalid()) noexcept {
    const Handle old = std::exchange(handle_, handle);
    if (old != Traits::invalid()) Traits::release(old);
  }
  Handle get() const { return handle_; }
  explicit operator bool() const { return handle_ != Traits::invalid(); }

 private:
  Handle handle_ = Traits::invalid();
};

}  // namespace whorl
