// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/bodies/target.hpp"
#include "nn/cuda/kernels/checks.hpp"
#include "nn/cuda/kernels/types.hpp"

namespace whorl::nn::cuda {

/// Queues `blocks` blocks of a kernel; throws Error with `name` when they cannot be launched.
template <typename Kernel>
void launch(const char* name, const Kernel& kernel, std::int64_t blocks, Stream stream) {
  static_assert(sizeof(typename Kernel::Shared) <= 48 * 1024, "more shared memory needs an opt-in");
  static_assert(sizeof(Kernel) <= 4096, "more arguments do not fit");
  check_grid(name, blocks);
  run_grid(name, kernel, static_cast<int>(blocks), stream);
}

/// One thread for each of `count` items.
template <typename Kernel>
void launch_for_each(const char* name, const Kernel& kernel, std::int64_t count, Stream stream) {
  launch(name, kernel, (count + Kernel::threads - 1) / Kernel::threads, stream);
}

/// Calls call(T()) with the type that `storage` names.
template <typename Call>
void with_type(Storage storage, const Call& call) {
  switch (storage) {
    case Storage::float32:
      return call(float());
    case Storage::float16:
      return call(Half());
    case Storage::bfloat16:
      return call(BFloat16());
  }
}

template <typename T>
In<T> in(const void* data) {
  return {static_cast<const T*>(data)};
}
template <typename T>
Out<T> out(void* data) {
  return {static_cast<T*>(data)};
}
template <typename T>
InOut<T> in_out(void* data) {
  return {static_cast<T*>(data)};
}

}  // namespace whorl::nn::cuda
