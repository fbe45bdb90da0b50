// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

#include "nn/buffer_plan.hpp"

namespace whorl::nn::cpu {

/// Zeroed memory at a 2 MiB boundary, on huge pages where the system gives them: passes over whole
/// activations then cost few address translations.
class HugeBuffer {
 public:
  HugeBuffer() = default;
  explicit HugeBuffer(std::size_t bytes);
  std::byte* data() const { return data_.get(); }
  float* floats() const { return reinterpret_cast<float*>(data_.get()); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::unique_ptr<std::byte[], Free> data_;
  std::size_t bytes_ = 0;
};

/// Buffers placed in one HugeBuffer.
class MemoryPlan : public BufferPlan {
 public:
  void allocate() {
    place();
    memory_ = HugeBuffer(BufferPlan::bytes());
  }
  /// Of buffer `number`, once allocated.
  std::byte* at(int number) const { return memory_.data() + offset(number); }
  float* floats(int number) const { return reinterpret_cast<float*>(at(number)); }
  std::size_t bytes() const { return memory_.bytes(); }

 private:
  HugeBuffer memory_;
};

}  // namespace whorl::nn::cpu
